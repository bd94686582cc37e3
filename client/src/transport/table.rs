//! The operations on tables. Creating and deleting are reported, not repeated, when they may have happened:
//! a second `CreateTable` would be refused, and a second `DeleteTable` might meet a table created since.

use proto::v1::{
    CreateTableRequest, DeleteTableRequest, DescribeTableRequest, DigestTableRequest, DigestTableResponse,
    ListTablesRequest, ListTablesResponse, ListVersionsRequest, ListVersionsResponse, TableDescription,
};

use super::{Client, MeridianClient};
use crate::error::Error;
use crate::retry::Repeat;

impl Client {
    /// `CreateTable`; the table may still be CREATING.
    pub async fn create_table(&self, request: CreateTableRequest) -> Result<TableDescription, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.create_table(request).await };
        present(self.call(Repeat::Harmful, request, method).await?.table)
    }

    /// `DescribeTable`.
    pub async fn describe_table(&self, request: DescribeTableRequest) -> Result<TableDescription, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.describe_table(request).await };
        present(self.call(Repeat::Harmless, request, method).await?.table)
    }

    /// `ListTables`, one page.
    pub async fn list_tables(&self, request: ListTablesRequest) -> Result<ListTablesResponse, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.list_tables(request).await };
        self.call(Repeat::Harmless, request, method).await
    }

    /// `DeleteTable`; the table may still be DELETING.
    pub async fn delete_table(&self, request: DeleteTableRequest) -> Result<TableDescription, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.delete_table(request).await };
        present(self.call(Repeat::Harmful, request, method).await?.table)
    }

    /// `DigestTable`.
    pub async fn digest_table(&self, request: DigestTableRequest) -> Result<DigestTableResponse, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.digest_table(request).await };
        self.call(Repeat::Harmless, request, method).await
    }

    /// `ListVersions`.
    pub async fn list_versions(&self, request: ListVersionsRequest) -> Result<ListVersionsResponse, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.list_versions(request).await };
        self.call(Repeat::Harmless, request, method).await
    }
}

fn present(table: Option<TableDescription>) -> Result<TableDescription, Error> {
    table.ok_or(Error::Incomplete { field: "Table" })
}
