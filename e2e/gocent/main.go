// What a backend in Go must be able to do with gocent, the official library. It says, a JSON object per line, what held;
// the test that runs it holds the same list.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/centrifugal/gocent/v3"
)

// patience is how long a call, and all of a scenario, may take: longer than the worst pause of a busy machine.
const patience = 30 * time.Second

type scenario struct {
	sentence string
	play     func(context.Context, *gocent.Client) error
}

var scenarios = []scenario{
	{"every method of gocent works", everyMethod},
	{"a pipe of commands is answered in its order", pipe},
	{"gocent is told what is wrong", refusals},
}

func tell(message map[string]string) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func client(key string) *gocent.Client {
	patient := &http.Client{Timeout: patience}
	return gocent.New(gocent.Config{Addr: os.Getenv("SPANWIRE_API"), Key: key, HTTPClient: patient})
}

func main() {
	for _, each := range scenarios {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if err := each.play(ctx, client(os.Getenv("SPANWIRE_KEY"))); err != nil {
			tell(map[string]string{"failed": each.sentence, "why": err.Error()})
		} else {
			tell(map[string]string{"held": each.sentence})
		}
		cancel()
	}
}

// all runs steps until one fails, and says which it was.
func all(steps ...func() error) error {
	for number, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", number+1, err)
		}
	}
	return nil
}

func wrong(format string, values ...any) error { return fmt.Errorf(format, values...) }

func everyMethod(ctx context.Context, client *gocent.Client) error {
	const channel = "gocent"
	var first gocent.PublishResult
	return all(
		func() error { return client.HistoryRemove(ctx, channel) },
		func() (err error) {
			options := []gocent.PublishOption{
				gocent.WithTags(map[string]string{"lang": "en"}), gocent.WithIdempotencyKey("gocent-1"),
			}
			first, err = client.Publish(ctx, channel, []byte(`{"n":1}`), options...)
			if err == nil && (first.Offset == 0 || first.Epoch == "") {
				return wrong("published at %+v", first)
			}
			return err
		},
		func() error {
			again, err := client.Publish(ctx, channel, []byte(`{"n":1}`), gocent.WithIdempotencyKey("gocent-1"))
			if err == nil && again != first {
				return wrong("published again at %+v", again)
			}
			return err
		},
		func() error {
			result, err := client.Broadcast(ctx, []string{channel, "nowhere:x"}, []byte(`{"n":2}`))
			if err != nil {
				return err
			}
			done, refused := result.Responses[0].Result, result.Responses[1].Error
			if done == nil || done.Offset != first.Offset+1 || refused == nil || refused.Code != 102 {
				return wrong("broadcast: %+v %+v", done, refused)
			}
			return nil
		},
		func() error { return client.Subscribe(ctx, channel, "nobody", gocent.WithSubscribeClient("c")) },
		func() error { return client.Unsubscribe(ctx, channel, "nobody") },
		func() error {
			farewell := &gocent.Disconnect{Code: 4001, Reason: "bye"}
			return client.Disconnect(ctx, "nobody", gocent.WithDisconnect(farewell))
		},
		func() error {
			result, err := client.Presence(ctx, channel)
			if err == nil && len(result.Presence) != 0 {
				return wrong("presence: %+v", result)
			}
			return err
		},
		func() error {
			result, err := client.PresenceStats(ctx, channel)
			if err == nil && result != (gocent.PresenceStatsResult{}) {
				return wrong("presence stats: %+v", result)
			}
			return err
		},
		func() error {
			since := &gocent.StreamPosition{Offset: first.Offset - 1, Epoch: first.Epoch}
			result, err := client.History(ctx, channel, gocent.WithLimit(10), gocent.WithSince(since))
			if err != nil {
				return err
			}
			kept := result.Publications
			if len(kept) != 2 || string(kept[0].Data) != `{"n":1}` || result.Offset != first.Offset+1 {
				return wrong("history: %+v", result)
			}
			return nil
		},
		func() error {
			_, err := client.Channels(ctx, gocent.WithPattern("*"))
			return err
		},
		func() error {
			result, err := client.Info(ctx)
			if err == nil && (len(result.Nodes) != 1 || result.Nodes[0].UID == "") {
				return wrong("info: %+v", result)
			}
			return err
		},
		func() error { return client.HistoryRemove(ctx, channel) },
	)
}

func pipe(ctx context.Context, client *gocent.Client) error {
	const channel = "gocent-pipe"
	pipe := client.Pipe()
	err := all(
		func() error { return pipe.AddPublish(channel, []byte(`1`)) },
		func() error { return pipe.AddBroadcast([]string{channel}, []byte(`2`)) },
		func() error { return pipe.AddPresence("nowhere:x") },
		func() error { return pipe.AddSubscribe(channel, "nobody") },
		func() error { return pipe.AddUnsubscribe(channel, "nobody") },
		func() error { return pipe.AddDisconnect("nobody") },
		func() error { return pipe.AddPresenceStats(channel) },
		func() error { return pipe.AddHistory(channel, gocent.WithLimit(10)) },
		func() error { return pipe.AddChannels() },
		func() error { return pipe.AddInfo() },
		func() error { return pipe.AddHistoryRemove(channel) },
	)
	if err != nil {
		return err
	}
	replies, err := client.SendPipe(ctx, pipe)
	if err != nil {
		return err
	}
	for number, reply := range replies {
		if (reply.Error != nil) != (number == 2) {
			return wrong("reply %d: %s %+v", number, reply.Result, reply.Error)
		}
	}
	var history gocent.HistoryResult
	if err := json.Unmarshal(replies[7].Result, &history); err != nil {
		return err
	}
	if len(history.Publications) != 2 || replies[2].Error.Code != 102 {
		return wrong("history: %+v, presence: %+v", history, replies[2].Error)
	}
	return nil
}

func refusals(ctx context.Context, known *gocent.Client) error {
	_, err := client("guess").Info(ctx)
	var status gocent.ErrStatusCode
	if !errors.As(err, &status) || status.Code != 401 {
		return wrong("a wrong key: %v", err)
	}
	_, err = known.Presence(ctx, "nowhere:x")
	var refused *gocent.Error
	if !errors.As(err, &refused) || refused.Code != 102 {
		return wrong("an unknown channel: %v", err)
	}
	return nil
}
