//! A channel that may have two subscribers has never more, and a place that is free is never lost.

use proptest::prelude::*;
use spanwire_hub::broker::{BrokerAnswer, Ticket};
use spanwire_hub::channel::Channel;
use spanwire_hub::{Credentials, Grant, Order, SessionId, Whom};
use spanwire_wire::UnsubscribeCode;

use crate::support::World;

const CHANNEL: &str = "few:x";
const PLACES: usize = 2;
const SUBSCRIBE: &str = r#"{"id":2,"subscribe":{"channel":"few:x"}}"#;
const UNSUBSCRIBE: &str = r#"{"id":3,"unsubscribe":{"channel":"few:x"}}"#;
const FULL: &str = r#"{"id":2,"error":{"code":106,"message":"limit exceeded"}}"#;

#[test]
fn a_full_channel_is_error_106_and_the_operator_is_told_which_option_it_was() {
    let mut world = World::new();
    let ann = world.subscriber("ann", CHANNEL);
    assert!(world.crowd(CHANNEL));
    let bob = world.connect("bob");
    world.send(bob, SUBSCRIBE);
    assert_eq!(world.read(bob), [FULL]);
    assert_eq!(world.present(CHANNEL), 1, "who is refused was never there");
    let denial = world.denials.pop().unwrap();
    assert!(
        denial.ends_with("as many subscribers as max_subscribers of namespace \"few\" lets it have"),
        "{denial}"
    );
    world.publish(CHANNEL, "1");
    assert_eq!((world.heard(ann).len(), world.heard(bob).len()), (1, 0));
    world.thin_out(CHANNEL);
    world.send(bob, SUBSCRIBE);
    assert!(world.read(bob)[0].starts_with(r#"{"id":2,"subscribe":{"#));
    world.end();
}

#[test]
fn a_connect_that_would_bring_its_client_into_a_full_channel_is_refused() {
    let mut world = World::new();
    for user in ["ann", "bob"] {
        world.subscriber(user, CHANNEL);
    }
    let cyd = connect_into(&mut world);
    assert_eq!(world.read(cyd), [r#"{"id":1,"error":{"code":106,"message":"limit exceeded"}}"#]);
    world.end();
}

#[test]
fn a_place_that_was_given_to_somebody_who_is_gone_is_given_back() {
    let leave: [fn(&mut World, SessionId); 3] = [
        |world, ann| world.send(ann, UNSUBSCRIBE),
        |world, _| world.order(unsubscribe("ann")),
        |world, ann| world.gone(ann),
    ];
    for leave in leave {
        let mut world = World::new();
        let ann = world.connect("ann");
        world.hold();
        world.send(ann, SUBSCRIBE);
        let answers = world.release_without_answers();
        leave(&mut world, ann);
        assert!(world.crowd(CHANNEL) && !world.crowd(CHANNEL), "the place is still taken");
        world.arrive(answers);
        assert!(world.crowd(CHANNEL), "the place is free");
        for _ in 0..PLACES {
            world.thin_out(CHANNEL);
        }
        world.end();
    }
}

/// A client whose token has the server subscribe it.
fn connect_into(world: &mut World) -> SessionId {
    let channels = vec![(Channel::new(CHANNEL), Grant::default())];
    world
        .tokens
        .insert("cyd", Ok(Credentials { user: "cyd".to_owned(), channels, ..Credentials::default() }));
    let cyd = world.open();
    world.send(cyd, r#"{"id":1,"connect":{"token":"cyd"}}"#);
    cyd
}

fn unsubscribe(user: &str) -> Order {
    let code = UnsubscribeCode::Server;
    Order::Unsubscribe { whom: of(user), channel: Some(Channel::new(CHANNEL)), code }
}

fn subscribe(user: &str) -> Order {
    Order::Subscribe { whom: of(user), channel: Channel::new(CHANNEL), grant: Grant::default(), since: None }
}

fn of(user: &str) -> Whom {
    Whom { user: user.to_owned(), ..Whom::default() }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Subscribe(usize),
    Unsubscribe(usize),
    OrderIn(usize),
    OrderOut(usize),
    /// The connection is lost, and the user comes back with another.
    Reconnect(usize),
    ReconnectInto(usize),
    Crowd,
    ThinOut,
    /// From now on the broker is slow.
    Hold,
    /// It has done what it was asked, and its answers are on their way.
    Answer,
    /// The answers arrive, and the broker is quick again.
    Arrive,
}

const USERS: [&str; 4] = ["ann", "bob", "dan", "eve"];

fn step() -> impl Strategy<Value = Step> {
    let user = || 0..USERS.len();
    prop_oneof![
        4 => user().prop_map(Step::Subscribe),
        3 => user().prop_map(Step::Unsubscribe),
        2 => user().prop_map(Step::OrderIn),
        2 => user().prop_map(Step::OrderOut),
        2 => user().prop_map(Step::Reconnect),
        1 => user().prop_map(Step::ReconnectInto),
        1 => Just(Step::Crowd),
        1 => Just(Step::ThinOut),
        2 => Just(Step::Hold),
        2 => Just(Step::Answer),
        3 => Just(Step::Arrive),
    ]
}

/// The world, and what its clients believe.
struct Crowd {
    world: World,
    clients: [SessionId; USERS.len()],
    inside: [bool; USERS.len()],
    elsewhere: usize,
    on_their_way: Vec<(Ticket, BrokerAnswer)>,
}

impl Crowd {
    fn new() -> Self {
        let mut world = World::new();
        let clients = USERS.map(|user| world.connect(user));
        Self { world, clients, inside: [false; USERS.len()], elsewhere: 0, on_their_way: Vec::new() }
    }

    fn take(&mut self, step: Step) {
        let world = &mut self.world;
        match step {
            Step::Subscribe(who) => world.send(self.clients[who], SUBSCRIBE),
            Step::Unsubscribe(who) => world.send(self.clients[who], UNSUBSCRIBE),
            Step::OrderIn(who) => world.order(subscribe(USERS[who])),
            Step::OrderOut(who) => world.order(unsubscribe(USERS[who])),
            Step::Reconnect(who) => {
                self.cut(who);
                self.clients[who] = self.world.connect(USERS[who]);
            }
            Step::ReconnectInto(who) => {
                self.cut(who);
                self.clients[who] = connect_into(&mut self.world);
            }
            Step::Crowd => self.elsewhere += usize::from(world.crowd(CHANNEL)),
            Step::ThinOut if self.elsewhere > 0 => {
                world.thin_out(CHANNEL);
                self.elsewhere -= 1;
            }
            Step::ThinOut => {}
            Step::Hold if !world.is_held() => world.hold(),
            Step::Hold => {}
            Step::Answer => {
                self.on_their_way.extend(world.release_without_answers());
                world.hold();
            }
            Step::Arrive => {
                world.arrive(std::mem::take(&mut self.on_their_way));
                world.release();
            }
        }
        self.listen();
    }

    fn cut(&mut self, who: usize) {
        self.world.gone(self.clients[who]);
        self.inside[who] = false;
    }

    /// What clients are told is what they believe.
    fn listen(&mut self) {
        for (client, inside) in self.clients.iter().zip(&mut self.inside) {
            for line in self.world.read(*client).iter().flat_map(|message| message.split('\n')) {
                match line {
                    _ if line.contains(r#""unsubscribe":{"#) => *inside = false,
                    _ if line.contains(r#""subscribe":{"#) || line.contains(r#""few:x":{"#) => *inside = true,
                    _ => {}
                }
            }
        }
    }

    fn count(&self) -> usize {
        self.elsewhere + self.inside.iter().filter(|inside| **inside).count()
    }
}

proptest! {
    #[test]
    fn a_channel_has_never_more_subscribers_than_places_and_no_place_is_lost(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut crowd = Crowd::new();
        for step in steps {
            crowd.take(step);
            prop_assert!(crowd.count() <= PLACES, "{} after {:?}", crowd.count(), step);
        }
        crowd.take(Step::Arrive);
        let free = PLACES - crowd.count();
        let taken = (0..PLACES).filter(|_| crowd.world.crowd(CHANNEL)).count();
        prop_assert_eq!(taken, free);
        for _ in 0..crowd.elsewhere + taken {
            crowd.world.thin_out(CHANNEL);
        }
        crowd.world.end();
    }
}
