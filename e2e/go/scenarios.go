package main

import (
	"slices"
	"sync/atomic"

	"github.com/centrifugal/centrifuge-go"
)

// What the stock Go client must be able to do. Each sentence is what its scene proves; the test that runs us holds
// the same list, so that a scenario cannot go missing in silence.
var scenarios = []struct {
	sentence string
	scene    func(*World, string)
}{
	{"a client hears its own publication", hearsItself},
	{"presence counts exactly, and joins and leaves are heard", presence},
	{"history pages forwards and backwards", history},
	{"a channel without presence or history says not available", notAvailable},
	{"rpc without a handler answers 108", rpc},
	{"an unknown namespace is refused with 102", unknownNamespace},
	{"a closed channel is refused with 103", closedChannel},
	{"leaving and returning works in the same breath", leavingAndReturning},
	{"a cut line loses nothing and repeats nothing", cutLine},
	{"deltas are patches on the wire, and every payload comes out, also behind a cut", deltas},
	{"what history no longer holds is told, not hidden", toldGap},
	{"channels of the token are subscribed by the server, and recover", serverSide},
	{"the server can end a subscription", serverUnsubscribes},
	{"the server can end a connection for good", serverDisconnects},
	{"an application's own disconnect code reaches its client", ownCode},
	{"a forged token is refused for good", forgedToken},
	{"an expired token is renewed before connecting", expiredToken},
	{"a connection outlives its tokens", renewals},
}

type claims = map[string]any

func as(user string) centrifuge.Config {
	return centrifuge.Config{Token: token(claims{"sub": user})}
}

func publish(channel string, data any) {
	api("publish", map[string]any{"channel": channel, "data": data})
}

// offer is what was heard of a publication that carries a number.
type offer struct{ offset, number int }

func offers(heard []centrifuge.PublicationEvent) (all []offer) {
	for _, event := range heard {
		all = append(all, offer{int(event.Offset), unpack[int](event.Data)})
	}
	return all
}

// upTo is what is heard of the numbers from one to n when nothing is lost and nothing repeated.
func upTo(n int) (all []offer) {
	for number := 1; number <= n; number++ {
		all = append(all, offer{number, number})
	}
	return all
}

func hearsItself(world *World, room string) {
	client := world.client(centrifuge.Config{})
	subscription := client.joined(room)
	subscription.say("Grüße, 世界")
	first := subscription.publication.count(1)[0]
	same("data", unpack[string](first.Data), "Grüße, 世界")
	same("offset", first.Offset, uint64(1))
	same("whose", first.Info.Client, client.connected.count(1)[0].ClientID)
}

func presence(world *World, room string) {
	there := world.client(as("ana")).joined(room)
	alsoThere := world.client(as("ben")).joined(room)
	here, err := there.Presence(whenever)
	must(err)
	var users []string
	for _, info := range here.Clients {
		users = append(users, info.User)
	}
	slices.Sort(users)
	same("users", users, []string{"ana", "ben"})
	stats, err := there.PresenceStats(whenever)
	must(err)
	same("stats", stats.PresenceStats, centrifuge.PresenceStats{NumClients: 2, NumUsers: 2})
	there.join.until(func(all []centrifuge.JoinEvent) bool {
		return slices.ContainsFunc(all, func(event centrifuge.JoinEvent) bool { return event.User == "ben" })
	})
	must(alsoThere.Unsubscribe())
	there.leave.until(func(all []centrifuge.LeaveEvent) bool {
		return slices.ContainsFunc(all, func(event centrifuge.LeaveEvent) bool { return event.User == "ben" })
	})
}

func history(world *World, room string) {
	subscription := world.client(centrifuge.Config{}).joined(room)
	for number := 1; number <= 5; number++ {
		subscription.say(number)
	}
	page := func(options ...centrifuge.HistoryOption) (numbers []int) {
		result, err := subscription.History(whenever, options...)
		must(err)
		for _, publication := range result.Publications {
			numbers = append(numbers, unpack[int](publication.Data))
		}
		return numbers
	}
	top, err := subscription.History(whenever, centrifuge.WithHistoryLimit(0))
	must(err)
	same("the top", []any{len(top.Publications), top.Offset}, []any{0, uint64(5)})
	since := func(offset uint64) centrifuge.HistoryOption {
		return centrifuge.WithHistorySince(&centrifuge.StreamPosition{Offset: offset, Epoch: top.Epoch})
	}
	limit, reverse := centrifuge.WithHistoryLimit, centrifuge.WithHistoryReverse(true)
	same("everything", page(limit(-1)), []int{1, 2, 3, 4, 5})
	same("the oldest", page(limit(2)), []int{1, 2})
	same("since 2", page(limit(2), since(2)), []int{3, 4})
	same("the newest", page(limit(2), reverse), []int{5, 4})
	same("before 4", page(limit(2), reverse, since(4)), []int{3, 2})
}

func notAvailable(world *World, room string) {
	subscription := world.client(centrifuge.Config{}).joined("plain:" + room)
	_, err := subscription.Presence(whenever)
	same("presence", refusal(err), uint32(108))
	_, err = subscription.History(whenever)
	same("history", refusal(err), uint32(108))
}

func rpc(world *World, _ string) {
	_, err := world.client(centrifuge.Config{}).RPC(whenever, "search", pack("tea"))
	same("the code", refusal(err), uint32(108))
}

func unknownNamespace(world *World, room string) {
	subscription := world.client(centrifuge.Config{}).subscription("nowhere:" + room)
	same("the code", subscription.gone.count(1)[0].Code, uint32(102))
}

func closedChannel(world *World, room string) {
	client := world.client(as("ana"))
	same("the code", client.subscription("closed:" + room).gone.count(1)[0].Code, uint32(103))
	_, err := client.Publish(whenever, "closed:"+room, pack(1))
	same("the code", refusal(err), uint32(103))
}

func leavingAndReturning(world *World, room string) {
	subscription := world.client(centrifuge.Config{}).joined(room)
	for number := 1; number <= 10; number++ {
		must(subscription.Unsubscribe())
		must(subscription.Subscribe())
		subscription.agreed.count(number + 1)
		subscription.say(number)
		same("heard", offers(subscription.publication.count(number)), upTo(number))
	}
}

func cutLine(world *World, room string) {
	client := world.client(centrifuge.Config{})
	subscription := client.joined(room)
	publish(room, 1)
	subscription.publication.count(1)
	ask("cut")
	client.connecting.count(2)
	for number := 2; number <= 40; number++ {
		publish(room, number)
	}
	ask("mend")
	again := subscription.agreed.count(2)[1]
	same("recovered", []bool{again.WasRecovering, again.Recovered}, []bool{true, true})
	publish(room, 41)
	same("heard", offers(subscription.publication.count(41)), upTo(41))
}

// quote is a payload that is much like every other.
type quote struct {
	Symbol, Name, Mood, Note string
	Price                    int
}

func deltas(world *World, room string) {
	channel := "delta:" + room
	client := world.client(centrifuge.Config{})
	subscription := client.joined(channel, centrifuge.SubscriptionConfig{Delta: centrifuge.DeltaTypeFossil})
	var quotes []quote
	for n := 1; n <= 21; n++ {
		price := 1000 + n
		if n == 4 {
			price = 1003 // The same again.
		}
		mood := []string{"😀", "😁", "😂"}[price%3]
		quotes = append(quotes, quote{"SPAN", "Перекладина 跨度", mood, "what stays the same is most of it", price})
	}
	for _, quote := range quotes[:10] {
		publish(channel, quote)
	}
	subscription.publication.count(10)
	whole, saved := figure(`spanwire_delta_bytes_total{kind="whole"}`), figure("spanwire_delta_saved_bytes_total")
	// No exact figures: what came with the answer to a client that had to come back meanwhile is not counted.
	if saved <= whole {
		fail("%v bytes were told whole, and patches saved %v", whole, saved)
	}
	ask("cut")
	client.connecting.count(2)
	for _, quote := range quotes[10:20] {
		publish(channel, quote)
	}
	ask("mend")
	same("recovered", subscription.agreed.count(2)[1].Recovered, true)
	publish(channel, quotes[20])
	var heard []quote
	for _, event := range subscription.publication.count(21) {
		heard = append(heard, unpack[quote](event.Data))
	}
	same("heard", heard, quotes)
}

func toldGap(world *World, room string) {
	client := world.client(centrifuge.Config{})
	subscription := client.joined("small:" + room)
	ask("cut")
	client.connecting.count(2)
	for number := 1; number <= 5; number++ {
		publish("small:"+room, number)
	}
	ask("mend")
	again := subscription.agreed.count(2)[1]
	same("recovered", []bool{again.WasRecovering, again.Recovered}, []bool{true, false})
	publish("small:"+room, 6)
	same("heard", offers(subscription.publication.count(1)), []offer{{6, 6}})
}

func serverSide(world *World, room string) {
	client := world.client(centrifuge.Config{Token: token(claims{"sub": "ana", "channels": []string{room}})})
	first := client.subscribed.count(1)[0]
	same("subscribed", []any{first.Channel, first.Recoverable}, []any{room, true})
	publish(room, 1)
	client.publication.count(1)
	ask("cut")
	client.connecting.count(2)
	for number := 2; number <= 5; number++ {
		publish(room, number)
	}
	ask("mend")
	again := client.subscribed.count(2)[1]
	same("recovered", []bool{again.WasRecovering, again.Recovered}, []bool{true, true})
	var heard []offer
	for _, event := range client.publication.count(5) {
		same("channel", event.Channel, room)
		heard = append(heard, offer{int(event.Offset), unpack[int](event.Data)})
	}
	same("heard", heard, upTo(5))
}

func serverUnsubscribes(world *World, room string) {
	user := "leaver of " + room
	subscription := world.client(as(user)).joined(room)
	api("unsubscribe", map[string]any{"user": user, "channel": room})
	same("the code", subscription.gone.count(1)[0].Code, uint32(2000))
}

func serverDisconnects(world *World, room string) {
	user := "outcast of " + room
	client := world.client(as(user))
	client.connected.count(1)
	api("disconnect", map[string]any{"user": user})
	same("the end", client.disconnected.count(1)[0], centrifuge.DisconnectedEvent{Code: 3503, Reason: "force disconnect"})
}

func ownCode(world *World, room string) {
	user := "banned of " + room
	client := world.client(as(user))
	client.connected.count(1)
	own := map[string]any{"code": 4501, "reason": "house rules"}
	api("disconnect", map[string]any{"user": user, "disconnect": own})
	same("the end", client.disconnected.count(1)[0], centrifuge.DisconnectedEvent{Code: 4501, Reason: "house rules"})
}

func forgedToken(world *World, _ string) {
	client := world.client(centrifuge.Config{Token: signed("another secret", claims{"sub": "ana"})})
	same("the code", client.disconnected.count(1)[0].Code, uint32(3500))
}

func expiredToken(world *World, room string) {
	var renewed atomic.Int32
	client := world.client(centrifuge.Config{
		Token: token(claims{"sub": "ana", "exp": secondsFromNow(-60)}),
		GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
			renewed.Add(1)
			return token(claims{"sub": "ana"}), nil
		},
	})
	client.joined(room)
	same("renewals", renewed.Load(), int32(1))
}

// Only an accepted renewal tells the client when to renew again, so the second one proves the first.
func renewals(world *World, room string) {
	renewed := newHeard[int]("two renewals")
	client := world.client(centrifuge.Config{
		Token: token(claims{"sub": "ana", "exp": secondsFromNow(2)}),
		GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
			renewed.add(1)
			return token(claims{"sub": "ana", "exp": secondsFromNow(2)}), nil
		},
	})
	subscription := client.joined(room)
	renewed.count(2)
	subscription.say("still here")
	subscription.publication.count(1)
	same("connections", len(client.connected.count(1)), 1)
}
