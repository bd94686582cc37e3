//! What the client library does when calls fail.

use client::{Client, Error, Settings};
use proto::v1::attribute_value::Value;
use proto::v1::meridian_client::MeridianClient;
use proto::v1::{AttributeValue, BatchWriteItemRequest, GetItemRequest, List, TableWrites, WriteRequest};

use tonic::Code;
use tonic::transport::Endpoint;

use crate::command_line::{put, region_with_movies};
use crate::fake_region::session::Ending;
use crate::fake_region::{FakeRegion, down, invalid, throttled, unknown};

fn client(region: &FakeRegion) -> Client {
    Client::connect(&region.endpoint).unwrap()
}

fn batch(id: &str) -> BatchWriteItemRequest {
    let write = WriteRequest { put_item: put("movies", id).item, ..Default::default() };
    let writes = TableWrites { table_name: "movies".to_owned(), requests: vec![write] };
    BatchWriteItemRequest { request_items: vec![writes] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_whose_fate_is_unknown_is_repeated_under_one_request_id() {
    let region = region_with_movies("us-east-1").await;
    region.state().failures.extend([unknown(), throttled()]);
    region.state().fails_late = true;
    client(&region).put_item(put("movies", "1")).await.unwrap();
    let ids = region.state().request_ids.clone();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.len() == 16 && *id == ids[0]), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_without_a_request_id_is_not_repeated_in_doubt() {
    let region = region_with_movies("us-east-1").await;
    let settings = Settings { request_ids: false, ..Settings::default() };
    let client = Client::new(&[&region.endpoint], settings).unwrap();
    region.state().failures.extend([throttled(), unknown()]);
    let error = client.put_item(put("movies", "1")).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
    assert_eq!(region.state().writes, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_retries_reports_the_first_failure() {
    let region = region_with_movies("us-east-1").await;
    let settings = Settings { retries: false, ..Settings::default() };
    let client = Client::new(&[&region.endpoint], settings).unwrap();
    region.state().failures.extend([throttled(), unknown()]);
    let error = client.put_item(put("movies", "1")).await.unwrap_err();
    assert!(matches!(error, Error::NotDone { .. }), "{error:?}");
    let error = client.put_item(put("movies", "1")).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
    assert_eq!(region.state().writes, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_repeated_only_when_nothing_was_done() {
    let region = region_with_movies("us-east-1").await;
    let client = client(&region);
    region.state().failures.extend([throttled()]);
    client.batch_write_item(batch("1")).await.unwrap();
    region.state().failures.extend([unknown()]);
    let error = client.batch_write_item(batch("2")).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
    assert_eq!(region.state().writes, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_come_back_typed_and_at_once() {
    let region = region_with_movies("us-east-1").await;
    region.state().failures.extend([invalid("Item")]);
    let Err(Error::Refused(refusal)) = client(&region).put_item(put("movies", "1")).await else { panic!() };
    assert_eq!((refusal.name.as_str(), refusal.field.as_str()), ("ValidationException", "Item"));
    assert_eq!(region.state().writes, 1);
    let mut conditional = put("movies", "1");
    conditional.condition_expression = Some("attribute_not_exists(id)".to_owned());
    let error = client(&region).put_item(conditional.clone()).await.unwrap_err();
    let Error::ConditionFailed { item } = error else { panic!("{error:?}") };
    assert_eq!(item.attributes, conditional.item);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_is_down_is_passed_over_and_one_that_throttles_is_not() {
    let gone = down();
    let alive = region_with_movies("eu-west-1").await;
    let client = Client::new(&[gone.as_str(), &alive.endpoint], Settings::default()).unwrap();
    alive.state().failures.extend([throttled()]);
    client.put_item(put("movies", "1")).await.unwrap();
    let key = put("movies", "1").item.into_iter().filter(|(name, _)| name == "id").collect();
    let request = GetItemRequest { table_name: "movies".to_owned(), key, ..Default::default() };
    assert!(client.get_item(request).await.unwrap().item.is_some());
    assert_eq!(alive.state().writes, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_is_down_is_named() {
    let gone = down();
    let error = Client::connect(&gone).unwrap().put_item(put("movies", "1")).await.unwrap_err();
    assert!(matches!(error, Error::NotDone { .. }), "{error:?}");
    assert!(error.to_string().contains(&gone), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_a_server_ends_is_opened_again_and_what_it_did_not_begin_is_repeated() {
    let region = region_with_movies("us-east-1").await;
    let client = client(&region);
    client.batch_write_item(batch("1")).await.unwrap();
    region.state().session_ends = Some(Ending::Clean);
    client.batch_write_item(batch("2")).await.unwrap();
    assert_eq!(region.state().writes, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_on_a_session_that_broke_is_in_doubt() {
    let region = region_with_movies("us-east-1").await;
    let client = client(&region);
    region.state().session_ends = Some(Ending::Broken);
    let error = client.batch_write_item(batch("1")).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
    region.state().session_ends = Some(Ending::Broken);
    client.put_item(put("movies", "2")).await.unwrap();
    assert_eq!(region.state().writes, 1, "only what has a request id is repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_session_is_no_answer_to_the_calls_in_it() {
    let region = region_with_movies("us-east-1").await;
    region.state().session_ends = Some(Ending::Refused);
    let error = client(&region).batch_write_item(batch("1")).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_no_frame_can_carry_is_refused_and_the_session_goes_on() {
    let region = region_with_movies("us-east-1").await;
    let client = client(&region);
    let error = client.ping(vec![0; types::limits::MESSAGE_BYTES_MAX]).await.unwrap_err();
    let Error::Refused(refusal) = error else { panic!("{error:?}") };
    assert!(refusal.message.contains("the limit is"), "{refusal}");
    client.ping(vec![7]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_share_a_session_and_each_gets_its_own_answer() {
    let region = FakeRegion::start("us-east-1").await;
    let client = std::sync::Arc::new(client(&region));
    let calls: Vec<_> = (0..500_u32)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move { client.ping(number.to_be_bytes().to_vec()).await.unwrap().payload })
        })
        .collect();
    for (number, call) in (0..500_u32).zip(calls) {
        assert_eq!(call.await.unwrap(), number.to_be_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unary_calls_work_without_a_session() {
    let region = region_with_movies("us-east-1").await;
    region.state().session_ends = Some(Ending::Broken);
    let settings = Settings { unary: true, connections: 3, ..Settings::default() };
    let client = Client::new(&[&region.endpoint], settings).unwrap();
    for number in 0..6 {
        client.put_item(put("movies", &number.to_string())).await.unwrap();
    }
    assert!(region.state().session_ends.is_some(), "no session was opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_come_back_from_a_ping() {
    let region = FakeRegion::start("us-east-1").await;
    let answer = client(&region).ping(vec![7; 1000]).await.unwrap();
    assert_eq!((answer.payload, answer.region_name.as_str()), (vec![7; 1000], "us-east-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_nested_past_all_limits_is_refused_with_the_limit() {
    let region = region_with_movies("us-east-1").await;
    let leaf = AttributeValue { value: Some(Value::Null(true)) };
    let list = |inner| AttributeValue { value: Some(Value::L(List { values: vec![inner] })) };
    let mut request = put("movies", "1");
    request.item.insert("deep".to_owned(), (0..60).fold(leaf, |inner, _| list(inner)));
    let endpoint = Endpoint::from_shared(region.endpoint.clone()).unwrap();
    let mut raw = MeridianClient::new(endpoint.connect_lazy());
    let status = raw.put_item(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let detail = proto::detail::decode(status.details()).unwrap();
    assert_eq!(detail.name, "SerializationException");
    assert!(detail.message.contains("at most 32 levels"), "{}", detail.message);
    for unary in [false, true] {
        let settings = Settings { unary, ..Settings::default() };
        let client = Client::new(&[&region.endpoint], settings).unwrap();
        let error = client.put_item(request.clone()).await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_in_doubt_is_repeated_at_another_node_of_its_region() {
    for one_region in [true, false] {
        let (first, second) = (region_with_movies("us-east-1").await, region_with_movies("us-east-1").await);
        first.state().session_ends = Some(Ending::Broken);
        let settings = Settings { one_region, ..Settings::default() };
        let client = Client::new(&[&first.endpoint, &second.endpoint], settings).unwrap();
        client.put_item(put("movies", "1")).await.unwrap();
        let [first, second] = [first, second].map(|node| node.state().request_ids.clone());
        // Only in the region that saw it first does its request id mean anything.
        assert_eq!((first.len(), second.len()), if one_region { (0, 1) } else { (1, 0) });
    }
}
