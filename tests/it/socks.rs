//! A SOCKS5 proxy (RFC 1928, RFC 1929) on loopback that records its requests.

use std::io::{Read, Write, copy};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where a connection was wanted to: by address or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Address(String),
    Name(String),
}

/// What the proxy answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Connects,
    /// Takes no credentials, whatever they are.
    RefusesCredentials,
    /// Not allowed by ruleset.
    RefusesTarget,
}

/// A target, and the credentials that came along.
pub type Asked = (Wanted, Option<String>);

pub struct Socks {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Socks {
    pub fn start(manner: Manner) -> Socks {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let record = Arc::clone(&record);
                thread::spawn(move || serve(stream, manner, &record));
            }
        });
        Socks { address, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

fn serve(mut stream: TcpStream, manner: Manner, asked: &Mutex<Vec<Asked>>) -> Option<()> {
    let bytes = |count: usize, stream: &mut TcpStream| -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    };
    let head = bytes(2, &mut stream)?;
    let methods = bytes(head[1].into(), &mut stream)?;
    let credentials = if methods.contains(&2) {
        stream.write_all(&[5, 2]).ok()?;
        let user_length = bytes(2, &mut stream)?[1];
        let user = bytes(user_length.into(), &mut stream)?;
        let length = bytes(1, &mut stream)?[0];
        let password = bytes(length.into(), &mut stream)?;
        if manner == Manner::RefusesCredentials {
            return stream.write_all(&[1, 1]).ok();
        }
        stream.write_all(&[1, 0]).ok()?;
        Some(format!("{}:{}", String::from_utf8_lossy(&user), String::from_utf8_lossy(&password)))
    } else {
        stream.write_all(&[5, if manner == Manner::RefusesCredentials { 0xff } else { 0 }]).ok()?;
        None
    };
    let kind = bytes(4, &mut stream)?[3];
    let wanted = match kind {
        1 => {
            let address: [u8; 4] = bytes(4, &mut stream)?.try_into().ok()?;
            Wanted::Address(Ipv4Addr::from(address).to_string())
        }
        4 => Wanted::Address(format!("{:?}", bytes(16, &mut stream)?)),
        _ => {
            let length = bytes(1, &mut stream)?[0];
            Wanted::Name(String::from_utf8_lossy(&bytes(length.into(), &mut stream)?).into_owned())
        }
    };
    let port = bytes(2, &mut stream)?;
    let port = u16::from_be_bytes([port[0], port[1]]);
    asked.lock().expect("not poisoned").push((wanted, credentials));
    if manner == Manner::RefusesTarget {
        return stream.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).ok();
    }
    // The tests' services listen there, whatever name it was.
    let mut target = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    let (mut from, mut to) = (stream.try_clone().ok()?, target.try_clone().ok()?);
    thread::spawn(move || {
        let _done = copy(&mut from, &mut to);
        let _closed = to.shutdown(std::net::Shutdown::Write);
    });
    let _done = copy(&mut target, &mut stream);
    stream.shutdown(std::net::Shutdown::Write).ok()
}
