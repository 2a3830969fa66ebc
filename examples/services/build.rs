//! Writes the trait of the service `shop.Search`. With a `.proto` file `tonic-prost-build` does it, and needs protoc.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let find = Method::builder()
        .name("find")
        .route_name("Find")
        .input_type("crate::shop::Question")
        .output_type("crate::shop::Found")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    let search = Service::builder().name("Search").package("shop").method(find).build();
    Builder::new().build_transport(false).compile(&[search]);
    println!("cargo::rerun-if-changed=build.rs");
}
