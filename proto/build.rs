//! Generates messages and stubs from the `.proto` files, with a compiler in Rust: nobody needs `protoc`.

use std::error::Error;

const FILES: [&str; 2] = ["meridian/v1/meridian.proto", "meridian/link/v1/link.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    tonic_prost_build::configure()
        .btree_map(".")
        // A frame's requests and responses share its buffer.
        .bytes(".meridian.v1.SessionCall.request")
        .bytes(".meridian.v1.SessionAnswer.response")
        .codec_path("crate::codec::Codec")
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .compile_fds(descriptors)?;
    Ok(())
}
