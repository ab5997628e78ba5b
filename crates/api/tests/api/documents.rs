//! The `curl` lines of the documents answer what the documents say.
//!
//! With `UPDATE_DOCUMENTS=1` the answers are written into the documents instead. `…` in an answer stands for anything.

use std::path::PathBuf;

use reqwest::Method;
use time_series_testkit::{Answer, Backend, TestApp};

const SERVICE: &str = "http://127.0.0.1:8000";

#[tokio::test]
async fn the_worked_cases_of_the_api() {
    run("docs/API.md").await;
}

#[tokio::test]
async fn the_first_steps_of_the_readme() {
    run("README.md").await;
}

/// A fenced block: the line of its opening fence, its language, what is in it.
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
        // Answers that depend on the present time, and commands other than requests.
        if command.language != "sh" || !words.starts_with("curl ") || words.contains("=now") {
            continue;
        }
        let answer = ask(&app, &words).await;
        let Some(shown) =
            next_fence(&lines, at).filter(|f| f.lines.start == at + 1 && f.language != "sh")
        else {
            assert!(
                answer.status.is_success(),
                "{name}: {words}\n{}",
                answer.text
            );
            continue;
        };
        checked += 1;
        let said = lines[shown.lines.clone()].join("\n");
        if !matches(&said, &answer.text) {
            if update {
                let new: Vec<String> = wrapped(&answer.text).lines().map(str::to_owned).collect();
                let end = shown.lines.start + new.len();
                lines.splice(shown.lines.clone(), new);
                at = end + 1;
                continue;
            }
            wrong.push(format!(
                "{name}:{}: {words}\n{}",
                shown.lines.start + 1,
                answer.text
            ));
        }
        at = shown.lines.end + 1;
    }
    if update {
        std::fs::write(&path, lines.join("\n") + "\n").expect("the document can be written");
    }
    assert!(checked > 0, "{name} has no worked case");
    assert!(
        wrong.is_empty(),
        "run with UPDATE_DOCUMENTS=1 and read what it wrote:\n{}",
        wrong.join("\n\n")
    );
}

/// The first fenced block that opens at a line from `at` on.
fn next_fence(lines: &[String], at: usize) -> Option<Fence> {
    let open = (at..lines.len()).find(|line| lines[*line].starts_with("```"))?;
    let close = (open + 1..lines.len()).find(|line| lines[*line] == "```")?;
    Some(Fence {
        language: lines[open][3..].to_owned(),
        lines: open + 1..close,
    })
}

/// Sends what a `curl` line would.
async fn ask(app: &TestApp, command: &str) -> Answer {
    let words = shlex::split(command).expect("words of a shell");
    let (mut method, mut url, mut body, mut headers) = (None, None, None, Vec::new());
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-s" | "-i" => {}
            "-X" => {
                method = words
                    .next()
                    .map(|m| Method::from_bytes(m.as_bytes()).expect("a method"))
            }
            "-d" => body = words.next().map(|b| b.as_bytes().to_vec()),
            "-H" => headers.extend(words.next().and_then(|h| h.split_once(": "))),
            other => {
                url = Some(
                    other
                        .strip_prefix(SERVICE)
                        .expect("the address that `up` serves on"),
                )
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

/// Whether an answer is what is said of it, where lines are broken aside.
fn matches(said: &str, answer: &str) -> bool {
    let (said, answer) = (joined(said), joined(answer));
    let mut parts = said.split('…');
    let Some(mut rest) = answer.strip_prefix(parts.next().unwrap_or_default()) else {
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

/// An answer, a result a line.
fn wrapped(answer: &str) -> String {
    answer
        .replace("\"results\":[{", "\n\"results\":[\n {")
        .replace("},{\"", "},\n {\"")
        .replace(",\"errors\":", ",\n\"errors\":")
}
