//! Messages and metadata of gRPC that are masked on their way: tonic's own client and server, and Google's client.
#![cfg(feature = "tower")]

mod grpc;

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use gmkit_mask::{Caller, CurrentPolicies, Descriptors, Keys, MaskBody, MaskLayer, Policies};
use prost::Message;
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt, wrappers::TcpListenerStream};
use tonic::{
    Code, Request, Response, Status, Streaming,
    body::Body,
    codec::CompressionEncoding,
    metadata::{BinaryMetadataValue, MetadataMap},
    server::{Grpc, NamedService, ServerStreamingService, StreamingService, UnaryService},
    transport::{Channel, Endpoint, Server},
};
use tonic_prost::ProstCodec;
use tower::{Layer, ServiceExt};

/// Of `bank.proto` only what is used here.
#[derive(Clone, PartialEq, Message)]
struct Account {
    #[prost(string, tag = "1")]
    phone: String,
    #[prost(string, tag = "2")]
    note: String,
    #[prost(string, tag = "14")]
    mail: String,
    /// Which the descriptors do not know.
    #[prost(string, tag = "1000")]
    odd: String,
}

fn account(note: &str) -> Account {
    Account { note: note.to_owned(), ..Account::default() }
}

fn full() -> Account {
    let (phone, mail) = ("13800138000".to_owned(), "alice@example.com".to_owned());
    Account { phone, mail, note: "电话13800138001".to_owned(), odd: String::new() }
}

fn strict() -> Account {
    let (phone, mail) = ("138******00".to_owned(), "****@example.com".to_owned());
    Account { phone, mail, note: "电话138******01".to_owned(), odd: String::new() }
}

fn usual() -> Account {
    let (phone, mail) = ("138****8000".to_owned(), "a****@example.com".to_owned());
    Account { phone, mail, note: "电话138****8001".to_owned(), odd: String::new() }
}

type Answers = Pin<Box<dyn Stream<Item = Result<Account, Status>> + Send>>;

/// What the service has seen.
#[derive(Clone, Default)]
struct Bank {
    seen: Arc<Mutex<Vec<(Account, MetadataMap)>>>,
}

tokio::task_local! {
    /// Who calls, as a layer outside has found out.
    static CONTEXT: String;
}

fn status() -> Status {
    // A `google.rpc.Status` with a text, and details of a type that is known.
    let details = [
        &b"\x08\x05\x12\x11alice@example.com"[..],
        b"\x1a\x29\x0a\x11x/bank.v1.Account\x12\x14\x72\x12alice2@example.com",
    ]
    .concat();
    let mut status = Status::with_details(
        Code::NotFound,
        "no account of alice@example.com, 100% sure",
        details.into(),
    );
    status.metadata_mut().insert("x-phone", "13800138000".parse().unwrap());
    status
}

impl Bank {
    fn answer(&self, request: Request<Account>) -> Result<Response<Account>, Status> {
        let (metadata, extensions, account) = request.into_parts();
        self.seen.lock().unwrap().push((account.clone(), metadata.clone()));
        match &*account.note {
            "fail" => Err(status()),
            "odd" => Ok(Response::new(Account { odd: "alice@example.com".into(), ..account })),
            "context" => {
                let context = CONTEXT.try_with(Clone::clone).unwrap_or_default();
                let marked = extensions.get::<Marked>().map_or("", |marked| marked.0);
                Ok(Response::new(self::account(&format!("{context} {marked}"))))
            }
            _ => {
                let mut answer = Response::new(full());
                let own = answer.metadata_mut();
                for name in ["x-chain", "x-trace"] {
                    for value in metadata.get_all(name) {
                        own.append(name, value.clone());
                    }
                }
                for value in &metadata.get_all_bin("x-trace-bin") {
                    own.append_bin("x-trace-bin", value.clone());
                }
                own.insert("x-phone", "13800138000".parse().unwrap());
                Ok(answer)
            }
        }
    }
}

struct Get(Bank);
struct Watch;
struct Upload(Bank);

type Answer<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

impl UnaryService<Account> for Get {
    type Response = Account;
    type Future = Answer<Account>;

    fn call(&mut self, request: Request<Account>) -> Self::Future {
        let bank = self.0.clone();
        Box::pin(async move {
            if request.get_ref().note == "slow" {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            tokio::task::yield_now().await;
            bank.answer(request)
        })
    }
}

impl ServerStreamingService<Account> for Watch {
    type Response = Account;
    type ResponseStream = Answers;
    type Future = Answer<Answers>;

    fn call(&mut self, request: Request<Account>) -> Self::Future {
        let odd = request.get_ref().note == "odd";
        let third = match odd {
            true => Account { odd: "alice@example.com".into(), ..Account::default() },
            false => full(),
        };
        let answers = [full(), account(&"x".repeat(200_000)), third, full()];
        let end = if odd { None } else { Some(Err(status())) };
        let answers = tokio_stream::iter(answers.into_iter().map(Ok).chain(end));
        let answers: Answers = Box::pin(answers.then(async |answer| {
            tokio::time::sleep(Duration::from_millis(5)).await;
            answer
        }));
        Box::pin(std::future::ready(Ok(Response::new(answers))))
    }
}

impl StreamingService<Account> for Upload {
    type Response = Account;
    type ResponseStream = Answers;
    type Future = Answer<Answers>;

    fn call(&mut self, request: Request<Streaming<Account>>) -> Self::Future {
        let bank = self.0.clone();
        Box::pin(async move {
            let (metadata, _, mut stream) = request.into_parts();
            let mut count = 0;
            while let Some(account) = stream.message().await? {
                count += 1;
                bank.seen.lock().unwrap().push((account, metadata.clone()));
            }
            let answers: Answers = Box::pin(tokio_stream::once(Ok(account(&count.to_string()))));
            Ok(Response::new(answers))
        })
    }
}

impl NamedService for Bank {
    const NAME: &'static str = "bank.v1.Accounts";
}

impl tower::Service<http::Request<Body>> for Bank {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let bank = self.clone();
        Box::pin(async move {
            let grpc = || {
                Grpc::new(ProstCodec::<Account, Account>::default())
                    .accept_compressed(CompressionEncoding::Gzip)
                    .send_compressed(CompressionEncoding::Gzip)
            };
            Ok(match request.uri().path() {
                "/bank.v1.Accounts/Get" => grpc().unary(Get(bank), request).await,
                "/bank.v1.Accounts/Watch" => grpc().server_streaming(Watch, request).await,
                "/bank.v1.Accounts/Upload" => grpc().streaming(Upload(bank), request).await,
                "/bank.v1.Accounts/Secret" => grpc().unary(Get(bank), request).await,
                _ => Status::unimplemented("none").into_http(),
            })
        })
    }
}

const POLICIES: &str = r#"
version = 1
[detect]
[[rule]]
path = "metadata.x-gone-bin"
[[scope]]
roles = ["teller"]
style = "usual"
[scope.detect]
[[scope]]
direction = "request"
route = "/bank.v1.Accounts/Upload"
[scope.detect]
"#;

/// What a layer outside has found out.
#[derive(Clone)]
struct Marked(&'static str);

/// Runs the service within a context of the task.
#[derive(Clone)]
struct Within<S>(S);

impl<S, B> tower::Service<http::Request<B>> for Within<S>
where
    S: tower::Service<http::Request<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        request.extensions_mut().insert(Marked("marked"));
        Box::pin(CONTEXT.scope("context".to_owned(), self.0.call(request)))
    }
}

struct Lab {
    address: String,
    bank: Bank,
    policies: Arc<CurrentPolicies>,
}

fn policies(toml: &str) -> Arc<CurrentPolicies> {
    Arc::new(CurrentPolicies::new(Policies::from_toml(toml, &Keys::new()).unwrap()))
}

fn descriptors() -> Arc<Descriptors> {
    Arc::new(grpc::descriptors().clone())
}

async fn lab() -> Lab {
    let (bank, policies) = (Bank::default(), policies(POLICIES));
    let mask = MaskLayer::new(Arc::clone(&policies)).with_grpc(descriptors(), 4 << 20).with_caller(
        |head| {
            let role = head.headers.get("x-role").and_then(|role| role.to_str().ok());
            Caller { roles: role.map(str::to_owned).into_iter().collect(), ..Caller::default() }
        },
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = Server::builder()
        .layer(tower::layer::layer_fn(Within))
        .layer(mask)
        .add_service(bank.clone())
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    Lab { address, bank, policies }
}

type Client<T> = tonic::client::Grpc<T>;

async fn channel(lab: &Lab) -> Channel {
    Endpoint::new(format!("http://{}", lab.address)).unwrap().connect().await.unwrap()
}

async fn client(lab: &Lab) -> Client<Channel> {
    Client::new(channel(lab).await)
}

async fn get(
    client: &mut Client<Channel>,
    request: Request<Account>,
) -> Result<Response<Account>, Status> {
    call(client, "/bank.v1.Accounts/Get", request).await
}

async fn call(
    client: &mut Client<Channel>,
    path: &'static str,
    request: Request<Account>,
) -> Result<Response<Account>, Status> {
    client.ready().await.unwrap();
    let codec = ProstCodec::<Account, Account>::default();
    client.unary(request, http::uri::PathAndQuery::from_static(path), codec).await
}

async fn watch(
    client: &mut Client<Channel>,
    note: &str,
) -> Result<Response<Streaming<Account>>, Status> {
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/bank.v1.Accounts/Watch");
    let codec = ProstCodec::<Account, Account>::default();
    client.server_streaming(Request::new(account(note)), path, codec).await
}

#[tokio::test]
async fn messages_are_masked() {
    let lab = lab().await;
    let mut client = client(&lab).await;
    assert_eq!(get(&mut client, Request::new(account(""))).await.unwrap().into_inner(), strict());
    let mut teller = Request::new(account(""));
    teller.metadata_mut().insert("x-role", "teller".parse().unwrap());
    assert_eq!(get(&mut client, teller).await.unwrap().into_inner(), usual());
    // Compressed both ways, as tonic does it.
    let mut gzip = Client::new(channel(&lab).await)
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    assert_eq!(get(&mut gzip, Request::new(account(""))).await.unwrap().into_inner(), strict());
    // Policies change while a stream is under way, which keeps its own.
    let mut answers = watch(&mut client, "").await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap(), Some(strict()));
    lab.policies.reload("version = 1\nclear = true\n", &Keys::new()).unwrap();
    assert_eq!(get(&mut client, Request::new(account(""))).await.unwrap().into_inner(), full());
    let refused = answers.message().await.unwrap_err();
    assert_eq!(refused.code(), Code::Internal, "the note is longer than is looked at");
    assert_eq!(answers.message().await.unwrap(), None);
}

#[tokio::test]
async fn streams_are_masked_as_they_come() {
    let lab = lab().await;
    let text = "version = 1\n[limits]\nmax_inspect = 300000\n[detect]\n";
    lab.policies.reload(text, &Keys::new()).unwrap();
    let mut client = client(&lab).await;
    let mut answers = watch(&mut client, "").await.unwrap().into_inner();
    let mut seen = Vec::new();
    let status = loop {
        match answers.message().await {
            Ok(answer) => seen.push(answer.unwrap()),
            Err(status) => break status,
        }
    };
    assert_eq!(seen, [strict(), account(&"x".repeat(200_000)), strict(), strict()]);
    assert_eq!(status.code(), Code::NotFound, "the trailers come through");
    assert_eq!(status.message(), "no account of ****@example.com, 100% sure");
    // What comes behind what cannot be masked does not come out.
    let mut answers = watch(&mut client, "odd").await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap(), Some(strict()));
    assert!(answers.message().await.unwrap().is_some());
    let status = answers.message().await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Internal, "the response cannot be masked")
    );
    assert_eq!(answers.message().await.unwrap(), None);
    // What a service is sent, where a scope says so.
    lab.policies.reload(POLICIES, &Keys::new()).unwrap();
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/bank.v1.Accounts/Upload");
    let codec = ProstCodec::<Account, Account>::default();
    let mut request = Request::new(tokio_stream::iter([full(), full()]));
    request.metadata_mut().insert("x-phone", "13800138000".parse().unwrap());
    request.metadata_mut().insert("authorization", "Bearer alice@example.com".parse().unwrap());
    let answer = client.streaming(request, path, codec).await.unwrap().into_inner().next().await;
    assert_eq!(answer.unwrap().unwrap(), account("2"));
    let seen = lab.bank.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    for (own, metadata) in &*seen {
        assert_eq!(*own, strict());
        assert_eq!(metadata.get("x-phone").unwrap(), "138******00");
        assert_eq!(metadata.get("authorization").unwrap(), "Bearer alice@example.com");
    }
}

#[tokio::test]
async fn what_cannot_be_masked() {
    let lab = lab().await;
    let mut client = client(&lab).await;
    let odd = get(&mut client, Request::new(account("odd"))).await.unwrap_err();
    assert_eq!((odd.code(), odd.message()), (Code::Internal, "the response cannot be masked"));
    let secret = call(&mut client, "/bank.v1.Accounts/Secret", Request::new(account(""))).await;
    assert_eq!(secret.unwrap_err().code(), Code::Internal, "the descriptors do not know it");
    let none = call(&mut client, "/bank.v1.Accounts/None", Request::new(account(""))).await;
    assert_eq!(none.unwrap_err().code(), Code::Unimplemented);
    // The error of a service, with its details.
    let failed = get(&mut client, Request::new(account("fail"))).await.unwrap_err();
    assert_eq!(failed.code(), Code::NotFound);
    assert_eq!(failed.message(), "no account of ****@example.com, 100% sure");
    let details = String::from_utf8_lossy(failed.details()).into_owned();
    assert!(details.contains("****@example.com") && !details.contains("alice"), "{details}");
    assert_eq!(failed.metadata().get("x-phone").unwrap(), "138******00");
}

/// The five losses: values and their order, the names, what the task knows, the deadline, binary values.
#[tokio::test]
async fn metadata_is_kept() {
    let lab = lab().await;
    let mut client = client(&lab).await;
    let mut request = Request::new(account(""));
    let metadata = request.metadata_mut();
    let chain = ["a", "b,c", "a", ""];
    for own in chain {
        metadata.append("x-chain", own.parse().unwrap());
    }
    metadata.insert(
        "x-trace",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap(),
    );
    let binary = [(0..=255).collect::<Vec<u8>>(), vec![0], b"alice@example.com".to_vec(), vec![]];
    for value in &binary {
        metadata.append_bin("x-trace-bin", BinaryMetadataValue::from_bytes(value));
    }
    metadata.insert_bin("x-gone-bin", BinaryMetadataValue::from_bytes(b"1"));
    request.set_timeout(Duration::from_secs(7));
    let answer = get(&mut client, request).await.unwrap();
    let seen = lab.bank.seen.lock().unwrap().pop().unwrap().1;
    for own in [&seen, answer.metadata()] {
        assert_eq!(own.get_all("x-chain").iter().collect::<Vec<_>>(), chain);
        let values = own.get_all_bin("x-trace-bin").iter().map(|value| value.to_bytes().unwrap());
        assert_eq!(values.collect::<Vec<_>>(), binary);
        assert!(own.get("x-trace").is_some());
        // Names are in small letters in HTTP/2; none is written in another way, or doubled.
        assert_eq!(own.keys().filter(|key| format!("{key:?}").contains("race-bin")).count(), 1);
    }
    assert_eq!(seen.get("grpc-timeout").unwrap(), "7000000u");
    assert_eq!(answer.metadata().get("x-phone").unwrap(), "138******00");
    let context = get(&mut client, Request::new(account("context"))).await.unwrap();
    assert_eq!(context.into_inner().note, "context marked");
    // The deadline is kept by the server, too.
    let mut late = Request::new(account("slow"));
    late.set_timeout(Duration::from_millis(200));
    let late = get(&mut client, late).await.unwrap_err();
    assert!(matches!(late.code(), Code::DeadlineExceeded | Code::Cancelled), "{late}");
}

/// Around a client the layer masks what comes in.
#[tokio::test]
async fn around_a_client() {
    let lab = lab().await;
    lab.policies.reload("version = 1\nclear = true\n", &Keys::new()).unwrap();
    let mask =
        MaskLayer::new(policies("version = 1\n[detect]\n")).with_grpc(descriptors(), 4 << 20);
    let channel = channel(&lab).await;
    let channel =
        channel.map_request(|request: http::Request<MaskBody<Body>>| request.map(Body::new));
    let mut client = Client::new(mask.layer(channel));
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/bank.v1.Accounts/Get");
    let codec = ProstCodec::<Account, Account>::default();
    let answer = client.unary(Request::new(account("")), path, codec).await.unwrap();
    assert_eq!(answer.into_inner(), strict());
}

/// Google's own client.
#[tokio::test]
async fn grpcio() {
    let lab = lab().await;
    let text = "version = 1\n[limits]\nmax_inspect = 300000\n[detect]\n";
    lab.policies.reload(text, &Keys::new()).unwrap();
    let address = lab.address.clone();
    let output =
        tokio::task::spawn_blocking(move || grpc::peer().args(["call", &address]).output());
    let output = output.await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let masked =
        r#"{"mail": "****@example.com", "note": "电话138******01", "phone": "138******00"}"#;
    let long = format!(r#"{{"note": "{}"#, "x".repeat(90));
    let binary: String = (0..=255_u8).map(|byte| format!("{byte:02x}")).collect();
    let expected = [
        masked,
        &format!("x-trace-bin ['{binary}', '00']"),
        "x-chain ['a', 'b']",
        "x-phone ['138******00']",
        masked,
        "NOT_FOUND no account of ****@example.com, 100% sure",
        "INTERNAL the response cannot be masked",
        masked,
        &long,
        masked,
        masked,
        "NOT_FOUND no account of ****@example.com, 100% sure",
        masked,
        &long,
        "INTERNAL the response cannot be masked",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}
