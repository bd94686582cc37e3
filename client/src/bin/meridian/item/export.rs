//! `meridian item export`: the whole table as JSON lines, one item each, in no particular order.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use client::Client;
use futures::stream::TryStreamExt;
use proto::v1::ScanRequest;
use serde_json::json;

use super::scan;
use crate::arguments::Export;
use crate::failure::Failure;
use crate::output::Output;
use crate::shape;

/// Writes the items to a file or to standard output.
pub(super) async fn run(client: Arc<Client>, arguments: Export, output: &Output) -> Result<(), Failure> {
    let request = ScanRequest { table_name: arguments.table, ..Default::default() };
    let mut responses = std::pin::pin!(scan::responses(client, request, arguments.segments));
    // The first page comes before the file is touched, so that a refused export leaves it as it was.
    let mut page = responses.try_next().await?;
    let path = arguments.file.as_deref();
    let write_failure = |source: io::Error| match path {
        Some(path) => Failure::File { path: path.to_owned(), source },
        None => Failure::Output { source },
    };
    let mut writer = open(path).map_err(write_failure)?;
    let mut count = 0u64;
    while let Some(ready) = page {
        for item in ready.items {
            let line = shape::item(item.attributes, arguments.spelling)?;
            writeln!(writer, "{line}").map_err(write_failure)?;
            count += 1;
        }
        page = responses.try_next().await?;
    }
    writer.flush().map_err(write_failure)?;
    match (path, output.is_json()) {
        (None, _) => Ok(()),
        (Some(_), true) => output.value(&json!({"Exported": count})),
        (Some(path), false) => output.line(&format!("exported {count} items to {}", path.display())),
    }
}

fn open(path: Option<&Path>) -> io::Result<Box<dyn Write>> {
    Ok(match path {
        Some(path) => Box::new(BufWriter::new(File::create(path)?)),
        None => Box::new(BufWriter::new(io::stdout())),
    })
}
