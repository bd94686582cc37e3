//! The calls of a session: each is the unary call of its name, its messages opaque to the frame.

use item::Error;
use item::expression::Cache;
use item::operation::Command;
use item::outcome::Answer;
use prost::bytes::Bytes;
use prost::{DecodeError, Message};
use proto::v1::{ErrorDetail, SessionOperation};

use crate::{
    batch_get_item, batch_write_item, delete_item, get_item, put_item, query, scan, status, update_item,
};

/// Why a call of a session is refused before it is begun.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The bytes are no message of the operation.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// The message asks for what cannot be.
    #[error(transparent)]
    Refused(#[from] Error),
}

impl Refusal {
    /// As it travels in the answer.
    pub fn detail(&self) -> ErrorDetail {
        match self {
            Refusal::Malformed(error) => proto::detail::malformed(error),
            Refusal::Refused(error) => status::of(error).detail,
        }
    }
}

/// Checks and binds a call about items. Panics at what is no such call: whoever carries it knows.
pub fn decode(operation: SessionOperation, request: Bytes, cache: &mut Cache) -> Result<Command, Refusal> {
    Ok(match operation {
        SessionOperation::PutItem => put_item::decode(message(request)?, cache)?,
        SessionOperation::GetItem => get_item::decode(message(request)?, cache)?,
        SessionOperation::UpdateItem => update_item::decode(message(request)?, cache)?,
        SessionOperation::DeleteItem => delete_item::decode(message(request)?, cache)?,
        SessionOperation::Query => query::decode(message(request)?, cache)?,
        SessionOperation::Scan => scan::decode(message(request)?, cache)?,
        SessionOperation::BatchGetItem => batch_get_item::decode(message(request)?, cache)?,
        SessionOperation::BatchWriteItem => batch_write_item::decode(message(request)?)?,
        SessionOperation::Unspecified | SessionOperation::Ping => unreachable!("not about items"),
    })
}

/// Shapes the answer to a call about items.
pub fn encode(operation: SessionOperation, result: Result<Answer, Error>) -> Result<Bytes, Error> {
    Ok(match operation {
        SessionOperation::PutItem => bytes(&put_item::encode(result)?),
        SessionOperation::GetItem => get_item::encode_bytes(result)?,
        SessionOperation::UpdateItem => bytes(&update_item::encode(result)?),
        SessionOperation::DeleteItem => bytes(&delete_item::encode(result)?),
        SessionOperation::Query => bytes(&query::encode(result)?),
        SessionOperation::Scan => bytes(&scan::encode(result)?),
        SessionOperation::BatchGetItem => bytes(&batch_get_item::encode(result)?),
        SessionOperation::BatchWriteItem => bytes(&batch_write_item::encode(result)?),
        SessionOperation::Unspecified | SessionOperation::Ping => unreachable!("not about items"),
    })
}

fn message<M: Message + Default>(request: Bytes) -> Result<M, DecodeError> {
    M::decode(request)
}

fn bytes(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

#[cfg(test)]
mod tests {
    use proto::v1::{ErrorKind, GetItemRequest, GetItemResponse};

    use super::*;

    #[test]
    fn bytes_that_are_no_message_are_refused_as_such() {
        let refused = decode(SessionOperation::GetItem, Bytes::from_static(b"\xff\xff"), &mut Cache::new());
        let detail = refused.unwrap_err().detail();
        assert_eq!(detail.name, "SerializationException");
        assert_eq!(detail.kind(), ErrorKind::Client);
    }

    #[test]
    fn a_refusal_names_the_field() {
        let request = bytes(&GetItemRequest::default());
        let refused = decode(SessionOperation::GetItem, request, &mut Cache::new()).unwrap_err();
        assert_eq!(refused.detail().field, "TableName");
    }

    #[test]
    fn an_answer_is_the_response_of_the_unary_call() {
        let answer = Answer::Item(item::Outcome::Item(None));
        let encoded = encode(SessionOperation::GetItem, Ok(answer)).unwrap();
        assert_eq!(GetItemResponse::decode(encoded).unwrap(), GetItemResponse::default());
    }
}
