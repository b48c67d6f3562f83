//! Latency and loss: what is late, what is sent again, what is gone.

use super::*;
use crate::LOSS_OF;
use crate::journey::{Outcome, What};

/// Two pods, one of which answers what it hears until its end, over TCP and UDP.
fn echoing(seed: u64) -> (Sim, Fabric, NetNs) {
    let sim = Sim::new(SimConfig { seed, start: Time::from_unix_seconds(1_000_000) });
    let (fabric, a, b) = two_pods(&sim);
    let listener = b.listen(at("0.0.0.0:80")).unwrap();
    let tasks = sim.clone();
    sim.spawn(async move {
        while let Ok(stream) = listener.accept().await {
            tasks.spawn(async move {
                while let Ok(bytes) = stream.read().await
                    && !bytes.is_empty()
                    && stream.write_all(&bytes).await.is_ok()
                {}
            });
        }
    });
    let socket = b.udp_bind(at("0.0.0.0:53")).unwrap();
    sim.spawn(async move {
        while let Ok((bytes, from)) = socket.recv_from().await {
            let _ = socket.send_to(&bytes, from);
        }
        // It has an address for as long as it answers.
        drop(b);
    });
    (sim, fabric, a)
}

fn percent(percent: u32) -> u32 {
    LOSS_OF / 100 * percent
}

/// One connection that says something and hears it: how long it took, or why it failed.
fn exchange(sim: &Sim, a: &NetNs) -> Result<Duration, NetError> {
    let (begun, clock, a) = (sim.now(), sim.clone(), a.clone());
    run(sim, async move {
        let stream = a.connect(at("10.244.0.3:80")).await?;
        stream.write_all(b"hello").await?;
        assert_eq!(stream.read().await?, "hello");
        Ok(clock.now().saturating_since(begun))
    })
}

#[test]
fn latency_counts_in_each_direction_and_at_once() {
    let (sim, fabric, a) = echoing(3);
    assert_eq!(exchange(&sim, &a), Ok(limits::HOP_DELAY * 4));
    fabric.set_hop_delay(Duration::from_millis(20));
    assert_eq!(exchange(&sim, &a), Ok(Duration::from_millis(80)));
    // An open connection follows.
    let (clock, wires) = (sim.clone(), fabric.clone());
    let took = run(&sim, async move {
        let stream = a.connect(at("10.244.0.3:80")).await.unwrap();
        wires.set_hop_delay(Duration::from_millis(50));
        let begun = clock.now();
        stream.write_all(b"x").await.unwrap();
        stream.read().await.unwrap();
        clock.now().saturating_since(begun)
    });
    assert_eq!(took, Duration::from_millis(100));
}

#[test]
fn what_tcp_loses_is_late_and_comes_in_order() {
    let mut late = 0;
    for seed in 1..=20 {
        let (sim, fabric, a) = echoing(seed);
        fabric.set_loss(percent(20));
        let took = exchange(&sim, &a).expect("one in five is bearable");
        // Whatever was lost, it took a second in the handshake or a retransmission's time after it.
        let extra = took.saturating_sub(limits::HOP_DELAY * 4);
        assert!(extra.is_zero() || extra >= limits::RETRANSMIT_TIME, "seed {seed}: {took:?}");
        late += u32::from(!extra.is_zero());
        let heard = run(&sim, async move {
            let stream = a.connect(at("10.244.0.3:80")).await.unwrap();
            let mut heard = Vec::new();
            for byte in 0..100 {
                stream.write_all(&[byte]).await.unwrap();
            }
            while heard.len() < 100 {
                heard.extend_from_slice(&stream.read().await.unwrap());
            }
            heard
        });
        assert_eq!(heard, (0..100).collect::<Vec<u8>>(), "seed {seed}");
    }
    // Four packets that matter: 0.8 to the fourth power come through at once, 8 of 20.
    assert!((6..=18).contains(&late), "{late} of 20 were late");
}

#[test]
fn a_wire_that_loses_everything_is_a_timeout() {
    let (sim, fabric, a) = echoing(3);
    fabric.set_loss(LOSS_OF);
    let begun = sim.now();
    let (clock, b) = (sim.clone(), a.clone());
    let (error, took) = run(&sim, async move { (b.connect(at("10.244.0.3:80")).await.err(), clock.now()) });
    assert_eq!((error, took.saturating_since(begun)), (Some(NetError::TimedOut), limits::CONNECT_TIMEOUT));
    let journey = fabric.journeys_since(0).pop().unwrap();
    assert_eq!(journey.outcome, Outcome::TimedOut);
    let lost: Vec<Option<u64>> = journey
        .hops
        .iter()
        .filter_map(|hop| match hop.what {
            What::LostOnWire { again_us } => Some(again_us.map(|us| us / 1_000_000)),
            _ => None,
        })
        .collect();
    assert_eq!(lost, [Some(1), Some(2), Some(4), Some(8), Some(16), Some(32), None]);
    // The machine reaches itself over no wire.
    let itself = run(&sim, async move { a.connect(at("10.244.0.2:80")).await.err() });
    assert_eq!(itself, Some(NetError::Refused));
}

#[test]
fn an_open_connection_is_given_up_when_everything_is_lost() {
    let (sim, fabric, a) = echoing(3);
    let (clock, wires, client) = (sim.clone(), fabric.clone(), a.clone());
    let took = run(&sim, async move {
        let stream = client.connect(at("10.244.0.3:80")).await.unwrap();
        wires.set_loss(LOSS_OF);
        let begun = clock.now();
        stream.write_all(b"x").await.unwrap();
        assert_eq!(stream.read().await, Err(NetError::TimedOut));
        assert_eq!(stream.write_all(b"x").await, Err(NetError::TimedOut));
        clock.now().saturating_since(begun)
    });
    // What Linux says of 15 retries: 924.6 seconds at least.
    assert!((924..=927).contains(&took.as_secs()), "{took:?}");
    // One that heals in time loses nothing.
    fabric.set_loss(0);
    let (clock, wires) = (sim.clone(), fabric.clone());
    let took = run(&sim, async move {
        let stream = a.connect(at("10.244.0.3:80")).await.unwrap();
        wires.set_loss(LOSS_OF);
        let begun = clock.now();
        stream.write_all(b"x").await.unwrap();
        clock.sleep(Duration::from_secs(1)).await;
        wires.set_loss(0);
        assert_eq!(stream.read().await.unwrap(), "x");
        clock.now().saturating_since(begun)
    });
    assert!((1_000..2_000).contains(&took.as_millis()), "the third try, 1.4 s after the first: {took:?}");
}

#[test]
fn datagrams_are_lost_without_a_word() {
    let (sim, fabric, a) = echoing(3);
    fabric.set_loss(percent(50));
    let clock = sim.clone();
    let came = run(&sim, async move {
        let socket = a.udp_bind(at("0.0.0.0:0")).unwrap();
        for _ in 0..100 {
            socket.send_to(b"ping", at("10.244.0.3:53")).unwrap();
        }
        clock.sleep(Duration::from_secs(1)).await;
        std::iter::from_fn(|| socket.try_recv_from()).map(Result::unwrap).count()
    });
    // There and back: one in four.
    assert!((10..=40).contains(&came), "{came} of 100");
}

#[test]
fn the_same_seed_loses_the_same() {
    let play = |seed| {
        let (sim, fabric, a) = echoing(seed);
        fabric.set_loss(percent(30));
        let times: Vec<_> = (0..10).map(|_| exchange(&sim, &a)).collect();
        (times, format!("{:?}", fabric.journeys_since(0)))
    };
    assert_eq!(play(7), play(7));
    assert_ne!(play(7).0, play(8).0);
}
