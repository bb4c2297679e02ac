//! What Android's loader asks of the shared library.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "android") {
        // Phones with pages of 16 KiB load nothing that is aligned to less. Here and not in .cargo/config.toml, which
        // the RUSTFLAGS of whoever builds would replace.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,max-page-size=16384");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmls_mobile.so");
    }
}
