#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mls_mobile_fuzz::run("forged_message", input));
