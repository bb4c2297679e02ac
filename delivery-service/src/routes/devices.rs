//! Registration.

use axum::{Extension, Json, extract::State, http::StatusCode};
use mls_delivery_client::wire::{Challenge, Register, Registered};

use super::JsonBody;
use crate::{
    app::{Caller, Device, Shared},
    limits, mls, now,
    problem::Problem,
};

pub(crate) async fn challenge(State(app): Shared) -> Result<Json<Challenge>, Problem> {
    Ok(Json(Challenge {
        challenge: app.challenges.make(now())?.into(),
        expires_in: limits::CHALLENGE_TIME.unsigned_abs(),
    }))
}

/// The proof is a key package: OpenMLS makes and checks it, so nobody needs to sign anything that is not MLS.
pub(crate) async fn register(
    State(app): Shared,
    body: JsonBody<Register>,
) -> Result<(StatusCode, Json<Registered>), Problem> {
    let Json(Register { proof }) = body?;
    let now = now();
    let key_package = mls::key_package(&proof.0, now)?;
    let challenge = key_package.application_id.ok_or(Problem::WrongChallenge)?;
    let expires = app
        .challenges
        .check(&challenge, now)
        .ok_or(Problem::WrongChallenge)?;
    let registered = app
        .store
        .register(&key_package.signature_key, &challenge, expires, now)
        .await?;
    Ok((StatusCode::CREATED, Json(registered)))
}

pub(crate) async fn delete(
    State(app): Shared,
    Extension(Device(device)): Caller,
) -> Result<StatusCode, Problem> {
    app.store.delete_device(&device.0).await?;
    Ok(StatusCode::NO_CONTENT)
}
