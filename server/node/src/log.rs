//! Log lines, to standard error: text for people or JSON for machines, never the values of items.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::options::LogFormat;
use crate::settings::LogSettings;

/// A filter that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("--log {filter:?}: {source}")]
pub struct Error {
    filter: String,
    source: ParseError,
}

/// Starts logging; once per process.
pub fn start(settings: &LogSettings) -> Result<(), Error> {
    let filter = EnvFilter::builder()
        .parse(&settings.filter)
        .map_err(|source| Error { filter: settings.filter.clone(), source })?;
    let colours = std::io::stderr().is_terminal();
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    match settings.format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}
