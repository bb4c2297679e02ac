//! Slow, huge, broken and countless requests: each is refused, and the others are served meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod common;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::Duration,
};

use common::{
    Service,
    device::{self, Device},
    forged,
};
use mls_delivery_client::{
    DeliveryClient, DeliveryError,
    wire::{Bytes, CreateGroup, Submit},
};

/// Sends bytes as they are, and returns the status of the answer; 0 if the door was shut without one.
fn raw(service: &Service, request: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(service.socket()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // The service may answer before it has read all, and hang up.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.windows(2).any(|end| end == b"\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return 0,
            Ok(count) => answer.extend(&buffer[..count]),
        }
    }
    String::from_utf8_lossy(&answer[9..12]).parse().unwrap()
}

fn request(method: &str, path: &str, token: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: service\r\nAuthorization: Bearer {token}\r\n{more}\r\n");
    [head.as_bytes(), body].concat()
}

/// Others are served: one is registered, joins a group, sends and reads.
fn serves(service: &Service, name: &[u8]) {
    let [sender, mut reader] = [0, 1].map(|_| Device::new(&service.address));
    let group = sender.create_group(name);
    sender.add(&group, 0, &[&reader]);
    sender.say(&group, 1, b"still here");
    assert_eq!(reader.take_all().len(), 1);
}

#[test]
fn bodies_without_a_length_or_too_large_are_refused_before_they_are_read() {
    let service = Service::start();
    let token = Device::new(&service.address).register();
    let post = |path: &str, more: &str| raw(&service, &request("POST", path, &token, more, b""));
    let json = "Content-Type: application/json\r\n";
    assert_eq!(
        post("/v1/groups", &format!("{json}Transfer-Encoding: chunked\r\n")),
        411
    );
    assert_eq!(
        post("/v1/groups", &format!("{json}Content-Length: 8388609\r\n")),
        413
    );
    assert_eq!(
        post("/v1/groups", &format!("{json}Content-Length: 99999999999999\r\n")),
        413
    );
    assert_eq!(
        post("/v1/devices", &format!("{json}Content-Length: 65537\r\n")),
        413
    );
    assert_eq!(post("/v1/groups", &format!("{json}Content-Length: -1\r\n")), 400);
    // Without a token not even a small one.
    let stranger = request(
        "POST",
        "/v1/groups",
        "",
        &format!("{json}Content-Length: 100\r\n"),
        b"",
    );
    assert_eq!(raw(&service, &stranger), 401);
}

#[test]
fn counts_and_lengths_have_ends() {
    let service = Service::start();
    let device = Device::new(&service.address);
    let code = |result: Result<_, DeliveryError>| match result {
        Err(DeliveryError::Refused { code }) => code,
        other => panic!("{other:?}"),
    };
    let new = |length| CreateGroup {
        group: Bytes(vec![1; length]),
        ..CreateGroup::default()
    };
    device.client.create_group(&new(255)).unwrap();
    assert_eq!(code(device.client.create_group(&new(256))), "malformed");
    assert_eq!(code(device.client.create_group(&new(0))), "malformed");
    let group = device.create_group(b"many");
    let mut submit = device::commit(&group, 0, b"adds and removes");
    submit.added = vec![device.id.clone(); 2501];
    submit.removed = vec![device.id.clone(); 2500];
    assert_eq!(
        code(device.client.submit(&group, &submit).map(drop)),
        "too_many_devices"
    );
    assert_eq!(code(device.client.read_queue(0, 1001, 0).map(drop)), "malformed");
    // And the head of a request; who still writes may not see the answer.
    let head = |length| {
        let cookie = "x".repeat(length);
        format!("GET /health HTTP/1.1\r\nHost: service\r\nCookie: {cookie}\r\n\r\n")
    };
    assert_eq!(raw(&service, head(30_000).as_bytes()), 204);
    assert!([0, 431].contains(&raw(&service, head(300_000).as_bytes())));
}

#[test]
fn slow_bodies_end_in_time_and_hold_up_nobody() {
    let service = Service::start();
    let token = Device::new(&service.address).register();
    // Together they say that more will come than the service has memory for.
    let begun = request(
        "POST",
        "/v1/groups",
        &token,
        "Content-Type: application/json\r\nContent-Length: 8388608\r\n",
        b"{",
    );
    let begin = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(service.socket()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    let slow: Vec<_> = (0..200).map(|_| begin(&begun)).collect();
    // And some that say nothing, or never come to the end of the head.
    let silent: Vec<_> = (0..100)
        .map(|number: usize| begin(&begun[..number % 3]))
        .collect();
    serves(&service, b"beside slow ones");
    for mut stream in slow {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer[9..], b"408");
    }
    for mut stream in silent {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
    }
}

#[test]
fn garbage_in_every_place_is_refused_and_never_a_failure() {
    let service = Service::start();
    let device = Device::new(&service.address);
    let group = device.create_group(b"garbage");
    let token = Device::new(&service.address).register();
    let member = {
        let mut device = device;
        device.register()
    };
    let places = [
        ("POST", "/v1/devices"),
        ("POST", "/v1/key-packages"),
        ("POST", "/v1/groups"),
        ("POST", "/v1/groups/Z2FyYmFnZQ/commits"),
        ("POST", "/v1/groups/Z2FyYmFnZQ/messages"),
        ("PUT", "/v1/groups/Z2FyYmFnZQ/group-info"),
        ("POST", "/v1/queue/acknowledged"),
        ("POST", "/v1/groups/%00/commits"),
        ("POST", "/v1/groups/!!!/messages"),
        ("GET", "/v1/queue?after=-1"),
        ("GET", "/v1/queue?what=1"),
        ("GET", "/v1/groups/%ff"),
        ("POST", "/v1/devices/x/key-packages/99999"),
    ];
    assert_eq!(group.to_string(), "Z2FyYmFnZQ");
    let mut noise = 7_u64;
    for (method, path) in places {
        for media_type in ["application/json", "message/mls", "text/plain", "\u{1}"] {
            for length in [0, 1, 50, 3000] {
                let body: Vec<u8> = (0..length)
                    .map(|_| {
                        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        noise.to_be_bytes()[0]
                    })
                    .collect();
                let more = format!("Content-Type: {media_type}\r\nContent-Length: {length}\r\n");
                for token in [&token, &member] {
                    let status = raw(&service, &request(method, path, token, &more, &body));
                    assert!(
                        (400..500).contains(&status),
                        "{method} {path} {media_type} {length}: {status}"
                    );
                }
            }
        }
    }
    serves(&service, b"after garbage");
}

#[test]
fn messages_with_a_true_frame_are_taken_and_cut_ones_are_not() {
    let service = Service::start();
    let device = Device::new(&service.address);
    let group = device.create_group(b"cut");
    let message = forged::private_message(&group.0, 0, forged::APPLICATION, b"content");
    for length in 0..message.len() {
        assert!(
            device.client.send_message(&group, &message[..length]).is_err(),
            "{length} bytes"
        );
    }
    let code = |result: Result<_, DeliveryError>| match result {
        Err(DeliveryError::Refused { code }) => code,
        other => panic!("{other:?}"),
    };
    let longer = [&message[..], &[0]].concat();
    assert_eq!(
        code(device.client.send_message(&group, &longer)),
        "invalid_message"
    );
    let other = forged::private_message(b"other", 0, forged::APPLICATION, b"content");
    assert_eq!(code(device.client.send_message(&group, &other)), "another_group");
    let commit = forged::private_message(&group.0, 0, forged::COMMIT, b"content");
    assert_eq!(
        code(device.client.send_message(&group, &commit)),
        "invalid_message"
    );
    let submit = Submit {
        commit: Bytes(message.clone()),
        ..Submit::default()
    };
    assert_eq!(code(device.client.submit(&group, &submit)), "invalid_message");
    device.client.send_message(&group, &message).unwrap();
    device
        .client
        .send_message(
            &group,
            &forged::private_message(&group.0, 0, forged::APPLICATION, &vec![0; 7 << 20]),
        )
        .unwrap();
}

#[test]
fn a_flood_is_slowed_down_and_another_device_is_served_meanwhile() {
    let service = Service::start_with(&["--rate", "20"]);
    let mut flooding = Device::new(&service.address);
    let token = flooding.register();
    let refused = thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let client = DeliveryClient::new(&service.address).with_token(token);
            (0..500)
                .filter(|_| matches!(client.key_package_stock(), Err(DeliveryError::Wait)))
                .count()
        });
        serves(&service, b"beside a flood");
        flood.join().unwrap()
    });
    assert!(refused > 100, "{refused}");
}

#[test]
fn strangers_are_slowed_down_too() {
    let service = Service::start_with(&["--stranger-rate", "5"]);
    let guess = |number: u8| {
        let token = Bytes(vec![number; 32]).to_string();
        DeliveryClient::new(&service.address)
            .with_token(token)
            .key_package_stock()
    };
    let answers: Vec<_> = (0..100).map(guess).collect();
    assert!(
        answers
            .iter()
            .any(|answer| matches!(answer, Err(DeliveryError::Unauthorized)))
    );
    assert!(
        answers
            .iter()
            .any(|answer| matches!(answer, Err(DeliveryError::Wait)))
    );
    let challenges = (0..100)
        .filter(|_| DeliveryClient::new(&service.address).challenge().is_err())
        .count();
    assert!(challenges > 0);
}

#[test]
fn connections_are_limited_and_those_of_one_address_too() {
    for limit in ["--clients", "--clients-per-address"] {
        let service = Service::start_with(&[limit, "10"]);
        let held: Vec<_> = (0..10)
            .map(|_| TcpStream::connect(service.socket()).unwrap())
            .collect();
        let health = b"GET /health HTTP/1.1\r\nHost: service\r\n\r\n";
        let shut = (0..50).any(|_| {
            thread::sleep(Duration::from_millis(20));
            raw(&service, health) == 0
        });
        assert!(shut, "{limit}");
        drop(held);
        let open = (0..50).any(|_| {
            thread::sleep(Duration::from_millis(100));
            raw(&service, health) == 204
        });
        assert!(open, "{limit}");
    }
}

#[test]
fn health_and_metrics_tell_how_it_is_and_nothing_of_anybody() {
    let metrics = common::free_address();
    let service = Service::start_with(&["--metrics", &metrics]);
    let device = Device::new(&service.address);
    let group = device.create_group(b"a group");
    device.client.group(&group).unwrap();
    assert!(
        device
            .client
            .claim_key_package(&device.id, device::SUITE)
            .is_err()
    );
    assert_eq!(
        raw(&service, b"GET /health HTTP/1.1\r\nHost: service\r\n\r\n"),
        204
    );
    let text = common::metrics(&metrics);
    assert!(
        text.contains("mls_delivery_requests_total{place=\"/v1/devices\",status=\"201\"} 1"),
        "{text}"
    );
    assert!(text.contains("mls_delivery_request_seconds_count"));
    assert!(!text.contains(&device.id.to_string()) && !text.contains(&group.to_string()));
    // They are inside only.
    assert_eq!(
        raw(&service, b"GET /metrics HTTP/1.1\r\nHost: service\r\n\r\n"),
        404
    );
}
