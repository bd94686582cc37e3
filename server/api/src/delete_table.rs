//! `DeleteTable`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{DeleteTableRequest, DeleteTableResponse};
use types::command::TableCommand;

use crate::{field, table};

/// Checks a request.
pub fn decode(request: DeleteTableRequest) -> Result<Command, Error> {
    Ok(Command::Table(TableCommand::Delete { name: field::table_name(request.table_name)? }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<DeleteTableResponse, Error> {
    Ok(DeleteTableResponse { table: Some(table::encode(result)?) })
}
