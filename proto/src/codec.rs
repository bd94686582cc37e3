//! How messages travel in gRPC: protobuf, and a typed refusal of bytes that are not.
//!
//! tonic's own codec answers malformed requests with INTERNAL, as if the server were at fault.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{DecodeBuf, EncodeBuf};
use tonic::{Code, Status};

use crate::detail;

/// Encodes `T` and decodes `U`.
#[derive(Clone, Debug)]
pub struct Codec<T, U>(PhantomData<(T, U)>);

/// Encodes `T`.
#[derive(Clone, Debug)]
pub struct Encoder<T>(PhantomData<T>);

/// Decodes `U`.
#[derive(Clone, Debug)]
pub struct Decoder<U>(PhantomData<U>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Codec(PhantomData)
    }
}

impl<T, U> tonic::codec::Codec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = Encoder<T>;
    type Decoder = Decoder<U>;

    fn encoder(&mut self) -> Encoder<T> {
        Encoder(PhantomData)
    }

    fn decoder(&mut self) -> Decoder<U> {
        Decoder(PhantomData)
    }
}

impl<T: Message> tonic::codec::Encoder for Encoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|_| Status::internal("the answer did not fit its buffer"))
    }
}

impl<U: Message + Default> tonic::codec::Decoder for Decoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        U::decode(buffer).map(Some).map_err(|error| malformed(&error))
    }
}

/// A malformed message as a status.
fn malformed(error: &prost::DecodeError) -> Status {
    let detail = detail::malformed(error);
    let bytes = detail::encode(Code::InvalidArgument as i32, &detail);
    Status::with_details(Code::InvalidArgument, detail.message, bytes.into())
}
