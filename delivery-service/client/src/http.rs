//! The client: a call is one request, and blocks until it is answered.

use std::{sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use ureq::{
    Agent, Body,
    http::{Method, Request, Response, header},
    tls::{Certificate, RootCerts, TlsConfig},
};

use crate::wire::{
    Accepted, Acknowledge, Bytes, Challenge, CreateGroup, GroupStatus, JOIN_SECRET_HEADER, MLS_MEDIA_TYPE,
    Page, Problem, Publish, PublishedGroupInfo, Register, Registered, Stock, Stocks, Submit,
};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// No answer came. Whether the request was carried out is unknown: make it again, the service does nothing twice.
    #[error("the delivery service did not answer")]
    NoAnswer,
    /// Another Commit was first, or the message is of another epoch. Read the queue, follow the group to its epoch, and
    /// begin again.
    #[error("the group is in epoch {epoch}")]
    WrongEpoch {
        /// The epoch that the group is in.
        epoch: u64,
    },
    /// Too many requests, or the service is busy. Try again after a moment.
    #[error("the delivery service asks to wait")]
    Wait,
    /// The token is missing, wrong or expired. Register again.
    #[error("the token is not valid")]
    Unauthorized,
    /// The service refused; `code` is a word of its documentation that never changes.
    #[error("the delivery service refused: {code}")]
    Refused {
        /// Why.
        code: String,
    },
    /// The answer is not one of this service.
    #[error("the answer was not understood")]
    NotUnderstood,
}

type Result<T> = std::result::Result<T, DeliveryError>;

/// Largest answer that is read: a page of messages, or a key package.
const LARGEST_ANSWER: u64 = 64 << 20;
const TIME: Duration = Duration::from_secs(60);

/// A device's connection to a delivery service. It can be shared by threads.
pub struct DeliveryClient {
    agent: Agent,
    address: String,
    token: Option<String>,
}

impl DeliveryClient {
    /// A client of the service at `address`, such as `https://delivery.example.org`, which must show a certificate that
    /// Mozilla's authorities vouch for.
    pub fn new(address: &str) -> Self {
        Self::with_roots(address, RootCerts::WebPki)
    }

    /// As [`Self::new`], for a service whose certificate these authorities, in DER, vouch for.
    pub fn with_authorities(address: &str, authorities: &[Vec<u8>]) -> Self {
        let authorities = authorities
            .iter()
            .map(|der| Certificate::from_der(der).to_owned());
        Self::with_roots(address, RootCerts::Specific(Arc::new(authorities.collect())))
    }

    fn with_roots(address: &str, roots: RootCerts) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(TIME))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build()
            .new_agent();
        Self {
            agent,
            address: address.trim_end_matches('/').to_owned(),
            token: None,
        }
    }

    /// The same with the token of an earlier registration, which the app keeps where it keeps other secrets.
    #[must_use]
    pub fn with_token(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }

    /// What the next registration must prove; see [`Register::proof`].
    pub fn challenge(&self) -> Result<Vec<u8>> {
        let challenge: Challenge = self.json(Method::POST, "/v1/challenge", None::<&()>, None)?;
        Ok(challenge.challenge.0)
    }

    /// Registers the device whose key package this is, and uses its token from now on. Delete the key package afterwards:
    /// nobody may be added with it.
    pub fn register(&mut self, proof: Vec<u8>) -> Result<Registered> {
        let registered: Registered = self.json(
            Method::POST,
            "/v1/devices",
            Some(&Register { proof: Bytes(proof) }),
            None,
        )?;
        self.token = Some(registered.token.clone());
        Ok(registered)
    }

    /// Deletes the device and all that waits for it.
    pub fn delete_device(&self) -> Result<()> {
        self.nothing(Method::DELETE, "/v1/device", None::<&()>)
    }

    /// Publishes key packages of this device, and returns what is there afterwards.
    pub fn publish_key_packages(&self, key_packages: Vec<Vec<u8>>) -> Result<Vec<Stock>> {
        let key_packages = key_packages.into_iter().map(Bytes).collect();
        let stocks: Stocks = self.json(
            Method::POST,
            "/v1/key-packages",
            Some(&Publish { key_packages }),
            None,
        )?;
        Ok(stocks.suites)
    }

    /// How many key packages of this device wait: publish more before there are none.
    pub fn key_package_stock(&self) -> Result<Vec<Stock>> {
        let stocks: Stocks = self.json(Method::GET, "/v1/key-packages", None::<&()>, None)?;
        Ok(stocks.suites)
    }

    /// Withdraws all key packages of this device, after their private keys were lost.
    pub fn withdraw_key_packages(&self) -> Result<()> {
        self.nothing(Method::DELETE, "/v1/key-packages", None::<&()>)
    }

    /// Takes a key package of another device, to add it to a group. Nobody else gets the same, unless it is of last resort.
    pub fn claim_key_package(&self, device: &Bytes, ciphersuite: u16) -> Result<Vec<u8>> {
        let path = format!("/v1/devices/{device}/key-packages/{ciphersuite}");
        let answer = self.send(Method::POST, &path, &[], &[])?;
        read(answer)
    }

    /// Makes a group known, with this device in it.
    pub fn create_group(&self, group: &CreateGroup) -> Result<()> {
        self.nothing(Method::POST, "/v1/groups", Some(group))
    }

    /// The group's epoch and devices.
    pub fn group(&self, group: &Bytes) -> Result<GroupStatus> {
        self.json(Method::GET, &format!("/v1/groups/{group}"), None::<&()>, None)
    }

    /// Submits a Commit. Once it is accepted, merge it; with [`DeliveryError::WrongEpoch`], clear it and follow the others.
    /// After a lost answer or a crash submit the same bytes again.
    pub fn submit(&self, group: &Bytes, commit: &Submit) -> Result<Accepted> {
        self.json(
            Method::POST,
            &format!("/v1/groups/{group}/commits"),
            Some(commit),
            None,
        )
    }

    /// Submits an external Commit, by who has the group's join secret.
    pub fn join(&self, group: &Bytes, commit: &Submit, join_secret: &[u8]) -> Result<Accepted> {
        let path = format!("/v1/groups/{group}/commits");
        self.json(Method::POST, &path, Some(commit), Some(join_secret))
    }

    /// Sends an application message or a proposal.
    pub fn send_message(&self, group: &Bytes, message: &[u8]) -> Result<Accepted> {
        let path = format!("/v1/groups/{group}/messages");
        let headers = [(header::CONTENT_TYPE.as_str(), MLS_MEDIA_TYPE.to_owned())];
        let answer = self.send(Method::POST, &path, message, &headers)?;
        parse(answer)
    }

    /// Publishes what those who join by themselves need, after a merge.
    pub fn publish_group_info(&self, group: &Bytes, info: &PublishedGroupInfo) -> Result<()> {
        self.nothing(Method::PUT, &format!("/v1/groups/{group}/group-info"), Some(info))
    }

    /// What an external Commit needs. Devices of the group need no join secret.
    pub fn group_info(&self, group: &Bytes, join_secret: Option<&[u8]>) -> Result<PublishedGroupInfo> {
        self.json(
            Method::GET,
            &format!("/v1/groups/{group}/group-info"),
            None::<&()>,
            join_secret,
        )
    }

    /// Gets no more messages of a group.
    pub fn leave(&self, group: &Bytes) -> Result<()> {
        self.nothing(Method::DELETE, &format!("/v1/groups/{group}/device"), None::<&()>)
    }

    /// What stands in the queue behind the cursor; waits up to `wait_seconds`, at most 50, if that is nothing.
    pub fn read_queue(&self, after: u64, limit: u32, wait_seconds: u32) -> Result<Page> {
        let wait = wait_seconds.min(50);
        let path = format!("/v1/queue?after={after}&limit={limit}&wait={wait}");
        self.json(Method::GET, &path, None::<&()>, None)
    }

    /// Lets the service delete what is safe on this device.
    pub fn acknowledge(&self, cursor: u64, missed: u64) -> Result<()> {
        self.nothing(
            Method::POST,
            "/v1/queue/acknowledged",
            Some(&Acknowledge { cursor, missed }),
        )
    }

    fn nothing(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<()> {
        read(self.request(method, path, body, None)?).map(drop)
    }

    fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        join_secret: Option<&[u8]>,
    ) -> Result<T> {
        parse(self.request(method, path, body, join_secret)?)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        join_secret: Option<&[u8]>,
    ) -> Result<Response<Body>> {
        let mut headers = Vec::new();
        if let Some(secret) = join_secret {
            headers.push((JOIN_SECRET_HEADER, Bytes(secret.to_vec()).to_string()));
        }
        let Some(body) = body else {
            return self.send(method, path, &[], &headers);
        };
        let body = serde_json::to_vec(body).map_err(|_| DeliveryError::NotUnderstood)?;
        headers.push((header::CONTENT_TYPE.as_str(), "application/json".to_owned()));
        self.send(method, path, &body, &headers)
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: &[u8],
        headers: &[(&str, String)],
    ) -> Result<Response<Body>> {
        let takes_body = method == Method::POST || method == Method::PUT;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        // A body of bytes travels with its length, which the service insists on.
        let answer = if takes_body {
            let request = request.body(body).map_err(|_| DeliveryError::NotUnderstood)?;
            self.agent.run(request)
        } else {
            let request = request.body(()).map_err(|_| DeliveryError::NotUnderstood)?;
            self.agent.run(request)
        };
        let answer = answer.map_err(|_| DeliveryError::NoAnswer)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(refusal(answer))
    }
}

fn read(mut answer: Response<Body>) -> Result<Vec<u8>> {
    let body = answer.body_mut().with_config().limit(LARGEST_ANSWER);
    body.read_to_vec().map_err(|_| DeliveryError::NoAnswer)
}

fn parse<T: DeserializeOwned>(answer: Response<Body>) -> Result<T> {
    serde_json::from_slice(&read(answer)?).map_err(|_| DeliveryError::NotUnderstood)
}

fn refusal(answer: Response<Body>) -> DeliveryError {
    let status = answer.status().as_u16();
    match (status, parse::<Problem>(answer)) {
        (401, _) => DeliveryError::Unauthorized,
        (429 | 503, _) => DeliveryError::Wait,
        (
            _,
            Ok(Problem {
                epoch: Some(epoch), ..
            }),
        ) => DeliveryError::WrongEpoch { epoch },
        (_, Ok(Problem { code, .. })) => DeliveryError::Refused { code },
        (_, Err(_)) => DeliveryError::NotUnderstood,
    }
}
