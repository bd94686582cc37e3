//! Document paths as an expression writes them, and the names and values that it mentions.
//!
//! A path knows its names by number, so that a tree can be kept while what its `#names` stand for changes
//! from request to request.

use std::fmt;

/// Which of an expression's names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct NameId(pub u16);

/// Which of an expression's values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ValueId(pub u16);

/// An attribute's name as written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Name {
    /// Itself.
    Plain(String),
    /// A `#name`, sign included.
    Substituted(String),
}

/// The distinct names and values of an expression, in the order of their first mention.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Symbols {
    pub names: Vec<Name>,
    /// `:values`, sign included.
    pub values: Vec<String>,
}

impl Symbols {
    pub(crate) fn name(&self, id: NameId) -> &Name {
        &self.names[usize::from(id.0)]
    }

    pub(crate) fn value(&self, id: ValueId) -> &str {
        &self.values[usize::from(id.0)]
    }
}

/// One step into a document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Step {
    /// Into a map, or the item itself.
    Name(NameId),
    /// Into a list.
    Index(u32),
}

/// `a.b[0].#c`: at least one step, the first a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Path(pub Vec<Step>);

impl Path {
    /// The first step's name.
    pub(crate) fn head(&self) -> NameId {
        match self.0.first() {
            Some(Step::Name(id)) => *id,
            _ => unreachable!("the parser begins every path with a name"),
        }
    }

    /// Whether it leads below a top-level attribute.
    pub(crate) fn is_nested(&self) -> bool {
        self.0.len() > 1
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Name::Plain(text) | Name::Substituted(text)) = self;
        f.write_str(text)
    }
}

/// Writes a path as it was written.
pub(crate) fn write_path(f: &mut fmt::Formatter<'_>, path: &Path, symbols: &Symbols) -> fmt::Result {
    for (position, step) in path.0.iter().enumerate() {
        match step {
            Step::Name(id) if position == 0 => write!(f, "{}", symbols.name(*id))?,
            Step::Name(id) => write!(f, ".{}", symbols.name(*id))?,
            Step::Index(index) => write!(f, "[{index}]")?,
        }
    }
    Ok(())
}
