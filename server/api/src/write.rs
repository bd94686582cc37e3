//! What the three single-item writes share: condition, return values, request id, and how they are answered.

use item::error::Invalid;
use item::operation::{ReturnValues, WriteOptions};
use item::outcome::{Answer, Outcome};
use item::{Error, Item};
use proto::convert;
use proto::v1;
use types::RequestId;

use crate::field;

const RETURN_VALUES: &str = "NONE, ALL_OLD, UPDATED_OLD, ALL_NEW or UPDATED_NEW";
const RETURN_VALUES_OF_WHOLE_ITEMS: &str = "NONE or ALL_OLD";
const ON_FAILURE: &str = "NONE or ALL_OLD";

/// The options of a write but for its condition.
pub(crate) fn options(
    return_values: ReturnValues,
    on_failure: i32,
    request_id: &[u8],
) -> Result<WriteOptions, Error> {
    use v1::ReturnValuesOnConditionCheckFailure as OnFailure;
    let field = "ReturnValuesOnConditionCheckFailure";
    let on_failure: OnFailure = field::choice(field, ON_FAILURE, on_failure)?;
    let request: Option<RequestId> = field::request_id(request_id)?;
    Ok(WriteOptions {
        condition: None,
        return_values,
        return_on_failure: on_failure == OnFailure::AllOld,
        request,
    })
}

/// `ReturnValues` of an update: any of them.
pub(crate) fn return_values(number: i32) -> Result<ReturnValues, Error> {
    let given: v1::ReturnValues = field::choice("ReturnValues", RETURN_VALUES, number)?;
    Ok(match given {
        v1::ReturnValues::Unspecified | v1::ReturnValues::None => ReturnValues::None,
        v1::ReturnValues::AllOld => ReturnValues::AllOld,
        v1::ReturnValues::UpdatedOld => ReturnValues::UpdatedOld,
        v1::ReturnValues::AllNew => ReturnValues::AllNew,
        v1::ReturnValues::UpdatedNew => ReturnValues::UpdatedNew,
    })
}

/// `ReturnValues` of a put or delete, which update no single attributes (DynamoDB: NONE or ALL_OLD).
pub(crate) fn return_values_of_whole_item(number: i32) -> Result<ReturnValues, Error> {
    match return_values(number) {
        Ok(values @ (ReturnValues::None | ReturnValues::AllOld)) => Ok(values),
        _ => Err(Invalid::Choice { field: "ReturnValues", allowed: RETURN_VALUES_OF_WHOLE_ITEMS }.into()),
    }
}

/// What a write's response carries: the attributes asked for, or the stored item of a failed condition, which
/// goes into the response because the trailers of a gRPC error are too small for an item.
pub(crate) struct Written {
    pub(crate) attributes: Option<v1::Item>,
    pub(crate) condition_check_failed: Option<v1::ConditionCheckFailed>,
}

/// Shapes the answer to a write.
pub(crate) fn encode(result: Result<Answer, Error>) -> Result<Written, Error> {
    let message = |item: Item| v1::Item { attributes: convert::item_into(item) };
    match result {
        Ok(Answer::Item(Outcome::Written(item))) => {
            Ok(Written { attributes: item.map(message), condition_check_failed: None })
        }
        Ok(other) => unreachable!("a write is answered by Written, not by {other:?}"),
        Err(Error::ConditionFailed { item: Some(item) }) => {
            let failed = v1::ConditionCheckFailed { item: Some(message(*item)) };
            Ok(Written { attributes: None, condition_check_failed: Some(failed) })
        }
        Err(error) => Err(error),
    }
}
