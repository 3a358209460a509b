//! The gallery as people use it: each page in a real browser, cut by its own buttons, and looked at.

mod chat;
mod fallback_lab;
mod health;
mod index;
mod notifications;
mod phone;
mod promises;
mod ticker;
