//! The generator of the Swift, Kotlin and Python bindings (`scripts/bindings.sh` calls it).

fn main() {
    uniffi::uniffi_bindgen_main();
}
