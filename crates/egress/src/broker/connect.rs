//! `CONNECT`: a tunnel, whose first bytes are looked at (RFC 9110, 9.3.6).

use bytes::BytesMut;
use http::header::HOST;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use smartbox_core::egress::{Refusal, Way};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::body::Body;
use super::case::{Case, Out};
use super::hello::{First, first};
use super::meter::Meter;
use super::splice::{End, splice};
use super::target::Target;
use super::{forward, open};

/// Makes the tunnel.
pub(crate) async fn tunnel(case: Case, mut request: Request<Incoming>) -> Response<Body> {
    // RFC 9112, 3.2: the host is said twice, and both times the same.
    for host in request.headers().get_all(HOST) {
        let same = host.to_str().is_ok_and(|host| {
            let said = Target::parse(host, Some(case.target.port)).ok();
            said.and_then(|said| case.inner.meant(&case.id, &said)).as_ref() == Some(&case.target)
        });
        if !same {
            return case.refuse(Refusal::Mismatch);
        }
    }
    let (out, server) = match out(&case).await {
        Ok(out) => out,
        Err(why) => return case.refuse(why),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let tasks = case.inner.tasks.clone();
    tasks.spawn(async move {
        if let Ok(inside) = upgrade.await {
            carry(case, inside, out, server).await;
        }
    });
    Response::new(Body::empty())
}

/// Where each request must be asked about, none has come yet, and nobody is dialled.
async fn out(case: &Case) -> Result<(Out, Option<TcpStream>), Refusal> {
    let out = case.out(case.decide()).await?;
    let server = if out.allowed.look_inside { None } else { Some(case.dial().await?) };
    Ok((out, server))
}

/// Passes what goes through the tunnel, once it is known what that is.
async fn carry(case: Case, inside: Upgraded, out: Out, mut server: Option<TcpStream>) {
    let Out { allowed, place: _place } = out;
    let mut inside = TokioIo::new(inside);
    let idle = case.inner.parts.limits.idle_time;
    let mut meter = Meter::new(case.clone());
    let look = look(&case, &mut inside, server.as_mut(), &mut meter);
    let looked = tokio::time::timeout(idle, look).await;
    let (kind, held) = match looked {
        Ok(Ok(Some(looked))) => looked,
        Ok(Ok(None)) | Err(_) => return,
        Ok(Err(why)) => return case.refused(why),
    };
    match (kind, server) {
        (First::Http, _) => forward::inside(case, inside, held).await,
        (First::Tls, None) => open::open(case, inside, held).await,
        (_, None) => case.refused(Refusal::Request),
        (_, Some(server)) => {
            let cut = case.cut_untouched(&allowed);
            if splice((inside, held), server, meter, cut, idle).await == End::Cut {
                case.refused(Refusal::Denied);
            }
        }
    }
}

/// Reads until it is known what the box speaks. Protocols whose server speaks first are let to, where
/// they are let at all. None if an end closed.
async fn look(
    case: &Case,
    inside: &mut TokioIo<Upgraded>,
    mut server: Option<&mut TcpStream>,
    meter: &mut Meter,
) -> Result<Option<(First, BytesMut)>, Refusal> {
    let mut held = BytesMut::new();
    let mut piece = [0; 4096];
    loop {
        tokio::select! {
            read = inside.read_buf(&mut held) => match read {
                Ok(0) | Err(_) => return Ok(None),
                Ok(_) => {
                    let kind = first(&held, &case.target)?;
                    if kind != First::Unknown {
                        return Ok(Some((kind, held)));
                    }
                }
            },
            read = read(&mut server, &mut piece) => match read {
                Ok(0) | Err(_) => return Ok(None),
                Ok(n) => {
                    if meter.pass(Way::Down, n) < n {
                        return Ok(None);
                    }
                    if inside.write_all(&piece[..n]).await.is_err() || inside.flush().await.is_err() {
                        return Ok(None);
                    }
                }
            },
        }
    }
}

/// What the server says first, if there is one.
async fn read(server: &mut Option<&mut TcpStream>, piece: &mut [u8]) -> std::io::Result<usize> {
    match server {
        Some(server) => server.read(piece).await,
        None => std::future::pending().await,
    }
}
