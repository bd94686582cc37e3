//! `--key NAME:TYPE[,NAME:TYPE]`.

use std::fmt;
use std::str::FromStr;

use proto::v1::{AttributeDefinition, KeySchemaElement, KeyType, ScalarAttributeType};

/// A table's key as the user wrote it; whether the names are good is for the server to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Key(Vec<(String, ScalarAttributeType)>);

/// Why the text is no key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected NAME:TYPE or NAME:TYPE,NAME:TYPE with types S, N and B")]
pub(crate) struct InvalidKey;

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Key, InvalidKey> {
        let attributes = text.split(',').map(attribute).collect::<Result<Vec<_>, _>>()?;
        if attributes.len() > 2 { Err(InvalidKey) } else { Ok(Key(attributes)) }
    }
}

/// The last colon separates: names may hold colons.
fn attribute(text: &str) -> Result<(String, ScalarAttributeType), InvalidKey> {
    let (name, type_name) = text.rsplit_once(':').ok_or(InvalidKey)?;
    let attribute_type = match type_name {
        "S" => ScalarAttributeType::S,
        "N" => ScalarAttributeType::N,
        "B" => ScalarAttributeType::B,
        _ => return Err(InvalidKey),
    };
    if name.is_empty() { Err(InvalidKey) } else { Ok((name.to_owned(), attribute_type)) }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, attribute_type)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let letter = attribute_type.as_str_name().rsplit('_').next().unwrap_or_default();
            write!(formatter, "{comma}{name}:{letter}")?;
        }
        Ok(())
    }
}

impl Key {
    /// DynamoDB's `KeySchema`.
    pub(crate) fn schema(&self) -> Vec<KeySchemaElement> {
        let roles = [KeyType::Hash, KeyType::Range];
        let element = |((name, _), role): (&(String, _), KeyType)| KeySchemaElement {
            attribute_name: name.clone(),
            key_type: role.into(),
        };
        self.0.iter().zip(roles).map(element).collect()
    }

    /// DynamoDB's `AttributeDefinitions`.
    pub(crate) fn definitions(&self) -> Vec<AttributeDefinition> {
        let definition = |(name, attribute_type): &(String, ScalarAttributeType)| AttributeDefinition {
            attribute_name: name.clone(),
            attribute_type: (*attribute_type).into(),
        };
        self.0.iter().map(definition).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_or_two_parts() {
        let key: Key = "Title:S,row:N".parse().unwrap();
        assert_eq!(key.schema()[0].key_type(), KeyType::Hash);
        assert_eq!(key.schema()[1].key_type(), KeyType::Range);
        assert_eq!(key.definitions()[1].attribute_type(), ScalarAttributeType::N);
        assert_eq!(key.to_string(), "Title:S,row:N");
        assert_eq!("a:b:S".parse::<Key>().unwrap().schema()[0].attribute_name, "a:b");
        for bad in ["", "k", "k:", ":S", "k:s", "k:S,", "a:S,b:S,c:S"] {
            assert_eq!(bad.parse::<Key>(), Err(InvalidKey), "{bad}");
        }
    }
}
