//! `DescribeTable`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{DescribeTableRequest, DescribeTableResponse};
use types::command::TableCommand;

use crate::{field, table};

/// Checks a request.
pub fn decode(request: DescribeTableRequest) -> Result<Command, Error> {
    Ok(Command::Table(TableCommand::Describe { name: field::table_name(request.table_name)? }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<DescribeTableResponse, Error> {
    Ok(DescribeTableResponse { table: Some(table::encode(result)?) })
}
