//! An answer on its way to a person: shown as it comes, each part once, whatever breaks.

use smartbox_api::message::TurnEvent;

use super::screen::Screen;
use super::turn::How;
use crate::error::CliError;
use crate::ui::phase::Teller;

/// What is shown of an answer so far.
pub(super) struct Answer<'a> {
    how: &'a How<'a>,
    teller: Teller,
    screen: Screen,
    shown: String,
    /// Parts may be missing between what is shown and what comes next.
    gap: bool,
    over: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn new(how: &'a How<'a>) -> Self {
        let (teller, screen) = (Teller::new(how.name), Screen::default());
        Self { how, teller, screen, shown: String::new(), gap: false, over: false }
    }

    /// The message is with the platform.
    pub(super) fn wait(&mut self) {
        self.teller.tell("has the message");
    }

    /// The connection broke; events may be missed.
    pub(super) fn lost(&mut self) {
        self.gap = true;
        if self.shown.is_empty() {
            self.teller.tell("the connection broke; trying again");
        }
    }

    /// Takes the progress line away.
    pub(super) fn hush(&mut self) {
        self.teller.hush();
    }

    pub(super) fn event(&mut self, event: TurnEvent) -> Result<(), CliError> {
        match event {
            TurnEvent::Started => self.teller.tell("thinks"),
            TurnEvent::Doing(what) if self.shown.is_empty() => self.teller.tell(&what),
            TurnEvent::Doing(_) => {}
            // After a gap nobody knows where this belongs; the whole answer comes at the end.
            TurnEvent::Delta(_) if self.gap => {}
            TurnEvent::Delta(text) => self.more(&text)?,
            TurnEvent::Replace(text) => {
                self.gap = false;
                self.become_text(&text)?;
            }
            TurnEvent::Answered(text) if !self.over => {
                self.become_text(&text)?;
                self.over = true;
                self.teller.hush();
                if !self.how.json {
                    self.screen.end()?;
                }
            }
            TurnEvent::Answered(_) => {}
            TurnEvent::Failed(_) => {
                self.teller.hush();
                if !self.shown.is_empty() && !self.how.json {
                    self.screen.end()?;
                }
            }
        }
        Ok(())
    }

    /// Shows what is missing of `text`; if what is shown is no beginning of it, all of it anew.
    fn become_text(&mut self, text: &str) -> Result<(), CliError> {
        if let Some(rest) = text.strip_prefix(&self.shown) {
            let rest = rest.to_owned();
            return self.more(&rest);
        }
        if text.trim_end() == self.shown.trim_end() {
            return Ok(());
        }
        if !self.how.json {
            self.screen.end()?;
        }
        self.shown.clear();
        self.more(text)
    }

    fn more(&mut self, text: &str) -> Result<(), CliError> {
        if text.is_empty() {
            return Ok(());
        }
        self.shown.push_str(text);
        if self.how.json {
            return Ok(());
        }
        self.teller.hush();
        self.screen.show(text)
    }
}
