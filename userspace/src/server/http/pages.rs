//! What is told at which path.

use super::Asker;
use crate::telemetry::exposition::Format;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use std::convert::Infallible;

type Page = Response<Full<Bytes>>;

/// The way to the metrics, for people.
const START: &str = "<!doctype html><title>Ripples</title><p><a href=\"/metrics\">metrics</a>\n";

/// Answers a request.
pub(super) async fn page(request: Request<Incoming>, asker: Asker) -> Result<Page, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut page = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        page.headers_mut().insert(ALLOW, allowed);
        return Ok(page);
    }
    Ok(match request.uri().path() {
        "/" => with_type(START.into(), "text/html; charset=utf-8"),
        "/metrics" => {
            let accept = request.headers().get(ACCEPT);
            let format = wanted(accept.and_then(|accept| accept.to_str().ok()));
            match asker.metrics(format).await {
                Some(text) => with_type(text, format.content_type()),
                None => plain(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n"),
            }
        }
        _ => plain(StatusCode::NOT_FOUND, "there is /metrics\n"),
    })
}

/// OpenMetrics for whoever names it, in the version that is written here or in none.
fn wanted(accept: Option<&str>) -> Format {
    let kinds = accept.unwrap_or_default().split(',');
    let takes = kinds.map(str::trim).any(|kind| {
        let mut parts = kind.split(';').map(str::trim);
        let is_named = parts.next() == Some("application/openmetrics-text");
        let version = parts.find_map(|part| part.strip_prefix("version="));
        is_named && version.is_none_or(|version| version.trim_matches('"') == "1.0.0")
    });
    match takes {
        true => Format::OpenMetrics,
        false => Format::Prometheus,
    }
}

fn with_type(text: String, content_type: &'static str) -> Page {
    let mut page = Response::new(Full::new(Bytes::from(text)));
    let content_type = HeaderValue::from_static(content_type);
    page.headers_mut().insert(CONTENT_TYPE, content_type);
    page
}

fn plain(status: StatusCode, text: &'static str) -> Page {
    let mut page = with_type(text.to_owned(), "text/plain; charset=utf-8");
    *page.status_mut() = status;
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_whoever_names_its_version() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.8,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, format) in [
            (None, Format::Prometheus),
            (Some("*/*"), Format::Prometheus),
            (Some("text/plain"), Format::Prometheus),
            (Some(prometheus), Format::OpenMetrics),
            (Some("application/openmetrics-text"), Format::OpenMetrics),
            (
                Some("application/openmetrics-text; version=\"1.0.0\""),
                Format::OpenMetrics,
            ),
            (
                Some("application/openmetrics-text;version=0.0.1"),
                Format::Prometheus,
            ),
        ] {
            assert_eq!(wanted(accept), format, "{accept:?}");
        }
    }
}
