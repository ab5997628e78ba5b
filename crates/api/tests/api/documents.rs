//! The `curl` commands of the documents produce the documented responses.
//!
//! With `UPDATE_DOCUMENTS=1` the responses are written into the documents instead.
//! `…` in a documented response matches anything.

use std::path::PathBuf;

use reqwest::Method;
use time_series_testkit::{Backend, Response, TestApp};

const SERVICE: &str = "http://127.0.0.1:8000";

#[tokio::test]
async fn the_worked_examples() {
    run("docs/EXAMPLES.md").await;
}

#[tokio::test]
async fn the_first_steps_of_the_readme() {
    run("README.md").await;
}

/// A fenced block: its language and the range of its lines.
struct Fence {
    language: String,
    lines: std::ops::Range<usize>,
}

async fn run(name: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name);
    let text = std::fs::read_to_string(&path).expect("the document");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let update = std::env::var_os("UPDATE_DOCUMENTS").is_some();
    let app = TestApp::seeded(Backend::Plain).await;
    let (mut checked, mut wrong, mut at) = (0, Vec::new(), 0);
    while let Some(command) = next_fence(&lines, at) {
        at = command.lines.end + 1;
        let words = lines[command.lines.clone()].join("\n");
        // Skips responses that depend on the current time, and commands other than requests.
        if command.language != "sh" || !words.starts_with("curl ") || words.contains("=now") {
            continue;
        }
        let response = send_curl(&app, &words).await;
        let Some(shown) =
            next_fence(&lines, at).filter(|f| f.lines.start == at + 1 && f.language != "sh")
        else {
            assert!(
                response.status.is_success(),
                "{name}: {words}\n{}",
                response.text
            );
            continue;
        };
        checked += 1;
        let documented = lines[shown.lines.clone()].join("\n");
        if !matches(&documented, &response.text) {
            if update {
                let new: Vec<String> = wrapped(&response.text).lines().map(str::to_owned).collect();
                let end = shown.lines.start + new.len();
                lines.splice(shown.lines.clone(), new);
                at = end + 1;
                continue;
            }
            wrong.push(format!(
                "{name}:{}: {words}\n{}",
                shown.lines.start + 1,
                response.text
            ));
        }
        at = shown.lines.end + 1;
    }
    if update {
        std::fs::write(&path, lines.join("\n") + "\n").expect("the document can be written");
    }
    assert!(checked > 0, "{name} has no documented response");
    assert!(
        wrong.is_empty(),
        "run with UPDATE_DOCUMENTS=1 and read what it wrote:\n{}",
        wrong.join("\n\n")
    );
}

/// Returns the first fenced block at or after line `at`.
fn next_fence(lines: &[String], at: usize) -> Option<Fence> {
    let open = (at..lines.len()).find(|line| lines[*line].starts_with("```"))?;
    let close = (open + 1..lines.len()).find(|line| lines[*line] == "```")?;
    Some(Fence {
        language: lines[open][3..].to_owned(),
        lines: open + 1..close,
    })
}

/// Sends the request of a `curl` command.
async fn send_curl(app: &TestApp, command: &str) -> Response {
    let words = shlex::split(command).expect("words of a shell");
    let (mut method, mut url, mut body, mut headers) = (None, None, None, Vec::new());
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-s" | "-i" => {}
            "-X" => {
                method = words
                    .next()
                    .map(|m| Method::from_bytes(m.as_bytes()).expect("a method"));
            }
            "-d" => body = words.next().map(|b| b.as_bytes().to_vec()),
            "-H" => headers.extend(words.next().and_then(|h| h.split_once(": "))),
            other => {
                url = Some(
                    other
                        .strip_prefix(SERVICE)
                        .expect("the address that `up` serves on"),
                );
            }
        }
    }
    let method = method.unwrap_or(if body.is_some() {
        Method::POST
    } else {
        Method::GET
    });
    app.request(method, url.expect("a URL"), body, &headers)
        .await
}

/// Returns whether a response matches the documented one, ignoring line breaks.
fn matches(documented: &str, response: &str) -> bool {
    let (documented, response) = (joined(documented), joined(response));
    let mut parts = documented.split('…');
    let Some(mut rest) = response.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, inner)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in inner {
        let Some(found) = rest.find(part) else {
            return false;
        };
        rest = &rest[found + part.len()..];
    }
    rest.ends_with(last)
}

fn joined(text: &str) -> String {
    text.lines().map(str::trim).collect()
}

/// The response with one result per line.
fn wrapped(response: &str) -> String {
    response
        .replace("\"results\":[{", "\n\"results\":[\n {")
        .replace("},{\"", "},\n {\"")
        .replace(",\"errors\":", ",\n\"errors\":")
}
