//! The texts of the values in a file of JSON: the elements of one array, or one value per line.
//!
//! It only finds where a value begins and ends, so that a row which is no JSON costs that row and no other,
//! and a file of any size passes through the memory of one row. What the texts mean is for others to parse.

use std::io::{self, BufRead, Read};

use types::limits::IMPORT_ROW_BYTES_MAX;

/// Why there is no text where a row should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The row is larger than any item; it was skipped.
    #[error("the row has more than {max} bytes", max = IMPORT_ROW_BYTES_MAX)]
    TooLong,
    /// The file ends too early; there is no row after this.
    #[error("the file ends within the array")]
    Truncated,
    /// The array has ended and the file has not; there is no row after this.
    #[error("the file goes on after its array")]
    Trailing,
    /// The file cannot be read any further.
    #[error("the file cannot be read: {source}")]
    Read {
        /// Why.
        #[from]
        source: io::Error,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Nothing was read.
    Start,
    /// Within the array, where an element comes.
    Array,
    /// Behind the array, where nothing may come.
    Behind,
    /// At the start of a line.
    Lines,
    /// Nothing more is to be read.
    End,
}

/// Reads the texts one by one.
pub(super) struct Texts<R> {
    reader: R,
    place: Place,
}

impl<R: BufRead> Texts<R> {
    /// Reads from the start of a file.
    pub(super) fn new(reader: R) -> Self {
        Texts { reader, place: Place::Start }
    }

    fn advance(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        if self.place == Place::Start {
            self.place = self.begin()?;
        }
        match self.place {
            Place::Array => self.element().map(Some),
            Place::Lines => self.line(),
            Place::Behind => match self.peek_past_blanks()? {
                None => Ok(None),
                Some(_) => Err(Broken::Trailing),
            },
            Place::Start | Place::End => Ok(None),
        }
    }

    fn begin(&mut self) -> io::Result<Place> {
        if self.peek_past_blanks()? != Some(b'[') {
            return Ok(Place::Lines);
        }
        self.reader.consume(1);
        if self.peek_past_blanks()? != Some(b']') {
            return Ok(Place::Array);
        }
        self.reader.consume(1);
        Ok(Place::Behind)
    }

    /// The text up to the next comma or the end of the array. A comma with nothing before it is an empty
    /// text.
    fn element(&mut self) -> Result<Vec<u8>, Broken> {
        let mut element = Element::default();
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Err(Broken::Truncated);
            }
            let ended = buffer.iter().position(|byte| element.ends_at(*byte));
            let taken = &buffer[..ended.unwrap_or(buffer.len())];
            element.keep(taken);
            let Some(ended) = ended else {
                let length = buffer.len();
                self.reader.consume(length);
                continue;
            };
            let last = buffer[ended] == b']';
            self.reader.consume(ended + 1);
            if last {
                self.place = Place::Behind;
            }
            return element.finish();
        }
    }

    /// The next line that is not blank.
    fn line(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        loop {
            let mut line = Vec::new();
            let read =
                (&mut self.reader).take(IMPORT_ROW_BYTES_MAX as u64 + 1).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(None);
            }
            if line.len() > IMPORT_ROW_BYTES_MAX {
                if !line.ends_with(b"\n") {
                    self.reader.skip_until(b'\n')?;
                }
                return Err(Broken::TooLong);
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// Looks at the first byte that is no blank, without taking it.
    fn peek_past_blanks(&mut self) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            match buffer.iter().position(|byte| !byte.is_ascii_whitespace()) {
                Some(at) => {
                    let byte = buffer[at];
                    self.reader.consume(at);
                    return Ok(Some(byte));
                }
                None => {
                    let length = buffer.len();
                    self.reader.consume(length);
                }
            }
        }
    }
}

impl<R: BufRead> Iterator for Texts<R> {
    type Item = Result<Vec<u8>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.advance();
        // A row that was skipped is followed by others, any other trouble by nothing.
        if matches!(&text, Err(error) if !matches!(error, Broken::TooLong)) {
            self.place = Place::End;
        }
        text.transpose()
    }
}

/// One element of an array while its end is being looked for.
#[derive(Default)]
struct Element {
    text: Vec<u8>,
    too_long: bool,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Element {
    /// Takes note of a byte; whether the element ended before it.
    fn ends_at(&mut self, byte: u8) -> bool {
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_text = true,
            b'[' | b'{' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.text.len() + bytes.len() > IMPORT_ROW_BYTES_MAX {
            self.too_long = true;
            self.text = Vec::new();
        } else if !self.too_long {
            self.text.extend_from_slice(bytes);
        }
    }

    fn finish(self) -> Result<Vec<u8>, Broken> {
        if self.too_long { Err(Broken::TooLong) } else { Ok(self.text) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a file through a buffer of `size` bytes.
    fn read(file: &str, size: usize) -> Vec<String> {
        let texts = Texts::new(io::BufReader::with_capacity(size, file.as_bytes()));
        let shown = |text: Result<Vec<u8>, Broken>| match text {
            Ok(text) => String::from_utf8(text).unwrap().trim().to_owned(),
            Err(broken) => format!("!{broken}"),
        };
        texts.map(shown).collect()
    }

    #[test]
    fn the_elements_of_an_array_are_found_whatever_they_hold() {
        let file = r#" [ {"a": "],[{\""}, 1 , "x\"],", [[1],{}] , null ] "#;
        for size in [1, 2, 7, 4096] {
            let texts = read(file, size);
            assert_eq!(texts, [r#"{"a": "],[{\""}"#, "1", r#""x\"],""#, "[[1],{}]", "null"], "{size}");
        }
    }

    #[test]
    fn a_row_that_is_no_json_costs_that_row_alone() {
        assert_eq!(
            read("[{\"a\": oops}, {\"b\": 1}, , 3,]", 3),
            ["{\"a\": oops}", "{\"b\": 1}", "", "3", ""]
        );
    }

    #[test]
    fn arrays_that_end_badly_say_so() {
        assert_eq!(read("[", 9), ["!the file ends within the array"]);
        assert_eq!(read("[1, {\"a\": [2", 9), ["1", "!the file ends within the array"]);
        assert_eq!(read("[1] [2]", 9), ["1", "!the file goes on after its array"]);
        assert_eq!(read("[] x", 9), ["!the file goes on after its array"]);
        assert!(read("[ ]\n", 9).is_empty());
    }

    #[test]
    fn lines_are_rows_and_blank_lines_are_not() {
        assert_eq!(read("\n{\"a\": 1}\r\n\n  \nnonsense\n{}", 4), ["{\"a\": 1}", "nonsense", "{}"]);
        assert!(read(" \n", 4).is_empty());
    }

    #[test]
    fn a_row_larger_than_any_item_is_skipped() {
        let large = "x".repeat(IMPORT_ROW_BYTES_MAX + 1);
        let reason = format!("!{}", Broken::TooLong);
        assert_eq!(read(&format!("[1, \"{large}\", 2]"), 4096), ["1", &reason, "2"]);
        assert_eq!(read(&format!("1\n{large}\n2\n"), 4096), ["1", &reason, "2"]);
    }

    proptest! {
        #[test]
        fn arrays_of_anything_come_apart_as_they_were_put_together(
            values in proptest::collection::vec(".*", 0..10),
            size in 1usize..20,
        ) {
            let quote = |text: &String| serde_json::Value::from(text.as_str()).to_string();
            let texts: Vec<String> = values.iter().map(quote).collect();
            prop_assert_eq!(read(&format!("[{}]", texts.join(",")), size), texts);
        }

        #[test]
        fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let texts = Texts::new(io::BufReader::with_capacity(3, bytes.as_slice()));
            prop_assert!(texts.count() <= bytes.len() + 1);
        }
    }
}
