//! A client of the reference delivery service for MLS (RFC 9420).
//!
//! It moves bytes that `mls-mobile` has made, or will process, and knows nothing of MLS itself: [`DeliveryClient`] has a call
//! for each place of the service, [`wire`] what travels. `tests/conversation.rs` is a conversation of three devices.

#[cfg(feature = "http")]
mod http;
pub mod wire;

#[cfg(feature = "http")]
pub use http::{DeliveryClient, DeliveryError};
