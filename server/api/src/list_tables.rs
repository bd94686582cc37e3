//! `ListTables`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{ListTablesRequest, ListTablesResponse};
use types::TableName;
use types::command::{TableAnswer, TableCommand};
use types::limits::LIST_TABLES_MAX;

use crate::field;

/// Checks a request.
pub fn decode(request: ListTablesRequest) -> Result<Command, Error> {
    let after = request.exclusive_start_table_name.map(field::table_name).transpose()?;
    let limit = request.limit.map_or(LIST_TABLES_MAX, |limit| limit as usize);
    field::bounded("Limit", limit as u64, 1, LIST_TABLES_MAX as u64)?;
    Ok(Command::Table(TableCommand::List { after, limit }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<ListTablesResponse, Error> {
    let Answer::Table(TableAnswer::Names { names, more }) = result? else {
        unreachable!("ListTables is answered by Names");
    };
    let text = |name: &TableName| name.as_str().to_owned();
    let last = names.last().filter(|_| more).map(text);
    Ok(ListTablesResponse { table_names: names.iter().map(text).collect(), last_evaluated_table_name: last })
}
