//! Name servers on loopback that misbehave as real ones do.

use tokio::net::TcpListener;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::api::dns) enum Says {
    Address,
    NoSuchName,
    NoData,
    ServerFailure,
    Refused,
    Nothing,
    Truncated,
    /// Of another question, then the right one.
    StrangerFirst,
}

type Script = fn(&str, Family) -> Says;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1));

struct NameServer {
    address: SocketAddr,
}

/// The name and the family of a question.
fn read(message: &[u8]) -> (String, Family, usize) {
    let (mut at, mut labels) = (12, Vec::new());
    while message[at] != 0 {
        let length = usize::from(message[at]);
        labels.push(String::from_utf8_lossy(&message[at + 1..=at + length]).into_owned());
        at += 1 + length;
    }
    let family = if message[at + 2] == 1 { Family::V4 } else { Family::V6 };
    (labels.join("."), family, at + 5)
}

/// An answer with a CNAME before the address, both names compressed.
fn answer(question: &[u8], family: Family, end: usize, says: Says) -> Vec<u8> {
    let mut message = question[..end].to_vec();
    let (code, count) = match says {
        Says::Address | Says::StrangerFirst => (0, 2),
        Says::NoData => (0, 0),
        Says::NoSuchName => (3, 0),
        Says::ServerFailure => (2, 0),
        Says::Refused => (5, 0),
        Says::Truncated => (0, 0),
        Says::Nothing => unreachable!("it says nothing"),
    };
    message[2] = if says == Says::Truncated { 0x83 } else { 0x81 };
    message[3] = 0x80 | code;
    message[7] = count;
    if count > 0 {
        message.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, b'x', 0xc0, 12]);
        let (kind, data) = match (family, V4, V6) {
            (Family::V4, IpAddr::V4(v4), _) => (1, v4.octets().to_vec()),
            (_, _, IpAddr::V6(v6)) => (28, v6.octets().to_vec()),
            other => panic!("{other:?}"),
        };
        message.extend([1, b'x', 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
        message.extend(data);
    }
    message
}

impl NameServer {
    async fn start(script: Script) -> NameServer {
        // Somebody else may have the same port for the other protocol.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().expect("bound")).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().expect("bound");
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = udp.recv_from(&mut buffer).await {
                let (name, family, end) = read(&buffer[..length]);
                let says = script(&name, family);
                if says == Says::StrangerFirst {
                    let mut other = answer(&buffer[..length], family, end, Says::NoSuchName);
                    other[0] ^= 1;
                    udp.send_to(&other, from).await.expect("sent");
                }
                if says != Says::Nothing {
                    udp.send_to(&answer(&buffer[..length], family, end, says), from).await.expect("sent");
                }
            }
        });
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                let length = stream.read_u16().await.expect("a length");
                let mut question = vec![0; length.into()];
                stream.read_exact(&mut question).await.expect("a question");
                let (_, family, end) = read(&question);
                let message = answer(&question, family, end, Says::Address);
                let length = u16::try_from(message.len()).expect("short").to_be_bytes();
                stream.write_all(&[&length, &message[..]].concat()).await.expect("sent");
            }
        });
        NameServer { address }
    }
}

/// IPv4 first, whichever came first.
async fn found(servers: &[Script], search: &[&str], name: &str) -> Vec<IpAddr> {
    let mut started = Vec::new();
    for script in servers {
        started.push(NameServer::start(*script).await);
    }
    let servers = Servers {
        servers: started.iter().map(|server| server.address).collect(),
        search: search.iter().map(|domain| (*domain).to_owned()).collect(),
        ndots: 5,
        grace_period: Duration::from_millis(300),
        attempts: 2,
    };
    let found = servers.addresses(name).await.unwrap_or_default();
    let mut found: Vec<IpAddr> = found.into_iter().map(|address| address.ip()).collect();
    found.sort();
    found
}

#[tokio::test]
async fn an_address_is_found_whatever_becomes_of_the_other_family() {
    let both: Script = |_, _| Says::Address;
    assert_eq!(found(&[both], &[], "a.example").await, [V4, V6]);
    let rows: [Script; 6] = [
        |_, family| if family == Family::V4 { Says::Address } else { Says::NoSuchName },
        |_, family| if family == Family::V4 { Says::Address } else { Says::ServerFailure },
        |_, family| if family == Family::V4 { Says::Address } else { Says::Refused },
        |_, family| if family == Family::V4 { Says::Address } else { Says::NoData },
        |_, family| if family == Family::V4 { Says::Address } else { Says::Nothing },
        |_, family| if family == Family::V4 { Says::StrangerFirst } else { Says::NoSuchName },
    ];
    for script in rows {
        assert_eq!(found(&[script], &[], "a.example").await, [V4]);
    }
    assert_eq!(
        found(&[|_, family| if family == Family::V6 { Says::Address } else { Says::Refused }], &[], "a.example").await,
        [V6]
    );
    assert_eq!(found(&[|_, _| Says::Truncated], &[], "a.example").await, [V4, V6], "over TCP");
}

#[tokio::test]
async fn a_failure_for_a_search_domain_does_not_hide_the_name() {
    let script: Script = |name, _| if name == "a.example" { Says::Address } else { Says::ServerFailure };
    assert_eq!(found(&[script], &["svc.cluster.local", "cluster.local"], "a.example").await, [V4, V6]);
    let script: Script = |name, _| if name == "a.corp.example" { Says::Address } else { Says::NoSuchName };
    assert_eq!(found(&[script], &["corp.example"], "a").await, [V4, V6]);
    assert!(found(&[script], &["corp.example"], "a.").await.is_empty(), "an absolute name is not searched for");
}

#[tokio::test]
async fn the_first_server_that_can_tell_decides() {
    let knows: Script = |_, _| Says::Address;
    let knows_not: Script = |_, _| Says::NoSuchName;
    assert_eq!(found(&[knows, knows_not], &[], "a.example").await, [V4, V6]);
    assert!(found(&[knows_not, knows], &[], "a.example").await.is_empty(), "as with glibc");
    for fails in [(|_, _| Says::Refused) as Script, |_, _| Says::ServerFailure, |_, _| Says::Nothing] {
        assert_eq!(found(&[fails, knows], &[], "a.example").await, [V4, V6]);
    }
}

#[test]
fn the_search_list_is_read_as_glibc_does() {
    let servers = |text: &str| Servers::of(text.as_bytes());
    let names = |text: &str, name: &str| servers(text).candidates(name);
    assert_eq!(names("search x y\n", "a"), ["a.x", "a.y", "a"]);
    assert_eq!(names("search x\n", "a.b"), ["a.b", "a.b.x"]);
    assert_eq!(names("search x .\noptions ndots:5\n", "a.b.c"), ["a.b.c.x", "a.b.c"]);
    assert_eq!(names("search x\noptions ndots:5\n", "a.b.c."), ["a.b.c"]);
    assert_eq!(names("domain d\n", "a"), ["a.d", "a"]);
    assert_eq!(names("nonsense here\nsearch x\n", "a"), ["a.x", "a"]);
    assert_eq!(servers("").servers, ["127.0.0.1:53".parse().expect("an address")]);
    assert_eq!(servers("nameserver fe80::1%1\nnameserver 10.0.0.1\n").servers.len(), 2);
}
