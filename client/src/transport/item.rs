//! The operations on items. Single-item writes carry a request id, so that a retry is safe.

use proto::v1::{
    BatchGetItemRequest, BatchGetItemResponse, BatchWriteItemRequest, BatchWriteItemResponse,
    ConditionCheckFailed, DeleteItemRequest, DeleteItemResponse, GetItemRequest, GetItemResponse,
    PutItemRequest, PutItemResponse, QueryRequest, QueryResponse, ScanRequest, ScanResponse,
    SessionOperation, UpdateItemRequest, UpdateItemResponse,
};

use super::{Client, MeridianClient};
use crate::error::Error;
use crate::retry::Repeat;

impl Client {
    /// `PutItem`.
    pub async fn put_item(&self, mut request: PutItemRequest) -> Result<PutItemResponse, Error> {
        let repeat = self.remember(&mut request.request_id);
        let method = |mut client: MeridianClient<_>, request| async move { client.put_item(request).await };
        let mut answer =
            self.item_call(repeat, SessionOperation::PutItem, Some(&request), &request, method).await?;
        held(answer.condition_check_failed.take())?;
        Ok(answer)
    }

    /// `GetItem`.
    pub async fn get_item(&self, request: GetItemRequest) -> Result<GetItemResponse, Error> {
        let method = |mut client: MeridianClient<_>, request| async move { client.get_item(request).await };
        self.item_call(Repeat::Harmless, SessionOperation::GetItem, Some(&request), &request, method).await
    }

    /// `UpdateItem`.
    pub async fn update_item(&self, mut request: UpdateItemRequest) -> Result<UpdateItemResponse, Error> {
        let repeat = self.remember(&mut request.request_id);
        let method =
            |mut client: MeridianClient<_>, request| async move { client.update_item(request).await };
        let mut answer =
            self.item_call(repeat, SessionOperation::UpdateItem, Some(&request), &request, method).await?;
        held(answer.condition_check_failed.take())?;
        Ok(answer)
    }

    /// `DeleteItem`.
    pub async fn delete_item(&self, mut request: DeleteItemRequest) -> Result<DeleteItemResponse, Error> {
        let repeat = self.remember(&mut request.request_id);
        let method =
            |mut client: MeridianClient<_>, request| async move { client.delete_item(request).await };
        let mut answer =
            self.item_call(repeat, SessionOperation::DeleteItem, Some(&request), &request, method).await?;
        held(answer.condition_check_failed.take())?;
        Ok(answer)
    }

    /// `Query`, one page.
    pub async fn query(&self, request: QueryRequest) -> Result<QueryResponse, Error> {
        let method = |mut client: MeridianClient<_>, request| async move { client.query(request).await };
        self.item_call(Repeat::Harmless, SessionOperation::Query, Some(&request), &request, method).await
    }

    /// `Scan`, one page.
    pub async fn scan(&self, request: ScanRequest) -> Result<ScanResponse, Error> {
        let method = |mut client: MeridianClient<_>, request| async move { client.scan(request).await };
        self.item_call(Repeat::Harmless, SessionOperation::Scan, None, &request, method).await
    }

    /// `BatchGetItem`; what is unprocessed is left to the caller.
    pub async fn batch_get_item(&self, request: BatchGetItemRequest) -> Result<BatchGetItemResponse, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.batch_get_item(request).await };
        self.item_call(Repeat::Harmless, SessionOperation::BatchGetItem, None, &request, method).await
    }

    /// `BatchWriteItem`; what is unprocessed is left to the caller. A batch has no request id, so one that
    /// may have happened is reported as `OutcomeUnknown`, not repeated.
    pub async fn batch_write_item(
        &self,
        request: BatchWriteItemRequest,
    ) -> Result<BatchWriteItemResponse, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.batch_write_item(request).await };
        self.item_call(Repeat::Harmful, SessionOperation::BatchWriteItem, None, &request, method).await
    }

    /// Gives a write a random request id unless it has one or the settings say otherwise.
    fn remember(&self, request_id: &mut Vec<u8>) -> Repeat {
        if request_id.is_empty() && self.settings.request_ids {
            *request_id = rand::random::<[u8; 16]>().to_vec();
        }
        if request_id.is_empty() { Repeat::Harmful } else { Repeat::Remembered }
    }
}

/// Turns a failed condition that came with its item into the error that it is.
fn held(failed: Option<ConditionCheckFailed>) -> Result<(), Error> {
    match failed {
        Some(failed) => Err(Error::ConditionFailed { item: Box::new(failed.item.unwrap_or_default()) }),
        None => Ok(()),
    }
}
