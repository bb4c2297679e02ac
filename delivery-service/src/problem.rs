//! Why a request is refused: a status, a word that clients act on, and nothing about what lies behind it.

use axum::{
    Json,
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mls_delivery_client::wire;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the request is malformed")]
    Malformed,
    #[error("there is no such place")]
    NoSuchPlace,
    #[error("this place does not take that method")]
    NoSuchMethod,
    #[error("the media type is not the one that is expected here")]
    WrongMediaType,
    #[error("a body must come with its length")]
    LengthRequired,
    #[error("the body is larger than this place takes")]
    TooLarge,
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("the token is missing, wrong or expired")]
    Unauthorized,
    #[error("the challenge is not of this service, expired, or was used")]
    WrongChallenge,
    #[error("the key package is invalid")]
    InvalidKeyPackage,
    #[error("the key package is of another device")]
    AnothersKeyPackage,
    #[error("there is no room for more key packages")]
    TooManyKeyPackages,
    #[error("there is no key package to be had")]
    NoKeyPackage,
    #[error("the bytes are not the MLS message that is expected here")]
    InvalidMessage,
    #[error("the message is of another group")]
    AnotherGroup,
    #[error("the GroupInfo carries the ratchet tree")]
    RatchetTreeIncluded,
    #[error("too many devices")]
    TooManyDevices,
    #[error("there is no such group, or this device is not of it")]
    NoSuchGroup,
    #[error("a group with this id exists already")]
    GroupExists,
    #[error("there is no GroupInfo of the group's epoch")]
    NoGroupInfo,
    #[error("the group is in epoch {0}")]
    WrongEpoch(u64),
    #[error("the cursor is beyond the end of the queue")]
    WrongCursor,
    #[error("too many requests")]
    TooManyRequests,
    #[error("the service is busy")]
    Busy,
    #[error("the service is busy")]
    Contended,
    #[error("the service failed")]
    Internal,
}

impl Problem {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed"),
            Self::NoSuchPlace => (StatusCode::NOT_FOUND, "no_such_place"),
            Self::NoSuchMethod => (StatusCode::METHOD_NOT_ALLOWED, "no_such_method"),
            Self::WrongMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_media_type"),
            Self::LengthRequired => (StatusCode::LENGTH_REQUIRED, "length_required"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::WrongChallenge => (StatusCode::FORBIDDEN, "wrong_challenge"),
            Self::InvalidKeyPackage => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_key_package"),
            Self::AnothersKeyPackage => (StatusCode::FORBIDDEN, "anothers_key_package"),
            Self::TooManyKeyPackages => (StatusCode::CONFLICT, "too_many_key_packages"),
            Self::NoKeyPackage => (StatusCode::NOT_FOUND, "no_key_package"),
            Self::InvalidMessage => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_message"),
            Self::AnotherGroup => (StatusCode::UNPROCESSABLE_ENTITY, "another_group"),
            Self::RatchetTreeIncluded => (StatusCode::UNPROCESSABLE_ENTITY, "ratchet_tree_included"),
            Self::TooManyDevices => (StatusCode::UNPROCESSABLE_ENTITY, "too_many_devices"),
            Self::NoSuchGroup => (StatusCode::NOT_FOUND, "no_such_group"),
            Self::GroupExists => (StatusCode::CONFLICT, "group_exists"),
            Self::NoGroupInfo => (StatusCode::NOT_FOUND, "no_group_info"),
            Self::WrongEpoch(_) => (StatusCode::CONFLICT, "wrong_epoch"),
            Self::WrongCursor => (StatusCode::CONFLICT, "wrong_cursor"),
            Self::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Self::Busy | Self::Contended => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        let epoch = match self {
            Self::WrongEpoch(epoch) => Some(epoch),
            _ => None,
        };
        let body = wire::Problem {
            code: code.to_owned(),
            detail: self.to_string(),
            epoch,
        };
        let mut response = (status, Json(body)).into_response();
        if self == Self::Unauthorized {
            // With a parameter, as RFC 6750 asks: Foundation on Linux crashes without one.
            let bearer = HeaderValue::from_static("Bearer realm=\"mls\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        if matches!(self, Self::TooManyRequests | Self::Busy | Self::Contended) {
            let seconds = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// PostgreSQL's serialization failure and deadlock, SQLite's BUSY and its BUSY_SNAPSHOT: another transaction was first.
const CONTENDED: [&str; 4] = ["40001", "40P01", "5", "517"];

/// The log gets the database's code, never its text: that may quote values.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        match (&error, code.as_deref()) {
            (sqlx::Error::PoolTimedOut, _) => Self::Busy,
            (_, Some(code)) if CONTENDED.contains(&code) => Self::Contended,
            (_, code) => {
                crate::report(&format!(
                    "the database failed: {}",
                    code.unwrap_or("no connection")
                ));
                Self::Internal
            }
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match rejection {
            JsonRejection::MissingJsonContentType(_) => Self::WrongMediaType,
            _ => Self::Malformed,
        }
    }
}

impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        Self::Malformed
    }
}

impl From<QueryRejection> for Problem {
    fn from(_: QueryRejection) -> Self {
        Self::Malformed
    }
}
