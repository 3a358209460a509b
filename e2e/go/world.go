package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

// What the test that starts us says: where the server is, usually behind a proxy that the test can cut, the address
// of the HTTP API past that proxy, the API's key, and the HS256 secret of connection tokens.
var (
	url    = os.Getenv("SPANWIRE_URL")
	apiURL = os.Getenv("SPANWIRE_API")
	key    = os.Getenv("SPANWIRE_KEY")
	secret = os.Getenv("SPANWIRE_SECRET")
	orders = bufio.NewReader(os.Stdin)
)

// backend speaks to the HTTP API.
var backend = http.Client{Timeout: patience}

// whenever leaves it to the SDK how long a call may take: its ReadTimeout, 5 s.
var whenever = context.Background()

// failure ends a scenario: it is thrown by fail and caught where scenarios are played.
type failure struct{ why string }

func fail(format string, values ...any) {
	panic(failure{fmt.Sprintf(format, values...)})
}

func same(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		fail("%s: %+v instead of %+v", what, got, want)
	}
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

// World is the world of one scenario: it makes clients, and ends every client it made.
type World struct {
	encoding string
	clients  []*centrifuge.Client
}

// Client is a client of the SDK, with ears on all that it says.
type Client struct {
	*centrifuge.Client
	connecting   *Heard[centrifuge.ConnectingEvent]
	connected    *Heard[centrifuge.ConnectedEvent]
	disconnected *Heard[centrifuge.DisconnectedEvent]
	subscribed   *Heard[centrifuge.ServerSubscribedEvent]
	publication  *Heard[centrifuge.ServerPublicationEvent]
}

// client makes a client and tells it to connect.
func (w *World) client(config centrifuge.Config) *Client {
	config.MinReconnectDelay = 50 * time.Millisecond
	config.MaxReconnectDelay = 200 * time.Millisecond
	make := centrifuge.NewJsonClient
	if w.encoding == "protobuf" {
		make = centrifuge.NewProtobufClient
	}
	client := &Client{
		Client:       make(url, config),
		connecting:   newHeard[centrifuge.ConnectingEvent]("connecting"),
		connected:    newHeard[centrifuge.ConnectedEvent]("connected"),
		disconnected: newHeard[centrifuge.DisconnectedEvent]("disconnected"),
		subscribed:   newHeard[centrifuge.ServerSubscribedEvent]("a subscription by the server"),
		publication:  newHeard[centrifuge.ServerPublicationEvent]("a publication of the server's subscription"),
	}
	client.OnConnecting(client.connecting.add)
	client.OnConnected(client.connected.add)
	client.OnDisconnected(client.disconnected.add)
	client.OnSubscribed(client.subscribed.add)
	client.OnPublication(client.publication.add)
	w.clients = append(w.clients, client.Client)
	must(client.Connect())
	return client
}

func (w *World) end() {
	for _, client := range w.clients {
		client.Close()
	}
}

// Subscription is a subscription of the SDK, with ears on all that it says.
type Subscription struct {
	*centrifuge.Subscription
	agreed      *Heard[centrifuge.SubscribedEvent]
	gone        *Heard[centrifuge.UnsubscribedEvent]
	publication *Heard[centrifuge.PublicationEvent]
	join        *Heard[centrifuge.JoinEvent]
	leave       *Heard[centrifuge.LeaveEvent]
}

// subscription asks for the channel and does not wait for the answer.
func (c *Client) subscription(channel string, config ...centrifuge.SubscriptionConfig) *Subscription {
	made, err := c.NewSubscription(channel, config...)
	must(err)
	subscription := &Subscription{
		Subscription: made,
		agreed:       newHeard[centrifuge.SubscribedEvent]("the subscription"),
		gone:         newHeard[centrifuge.UnsubscribedEvent]("its end"),
		publication:  newHeard[centrifuge.PublicationEvent]("a publication"),
		join:         newHeard[centrifuge.JoinEvent]("a join"),
		leave:        newHeard[centrifuge.LeaveEvent]("a leave"),
	}
	made.OnSubscribed(subscription.agreed.add)
	made.OnUnsubscribed(subscription.gone.add)
	made.OnPublication(subscription.publication.add)
	made.OnJoin(subscription.join.add)
	made.OnLeave(subscription.leave.add)
	must(made.Subscribe())
	return subscription
}

// joined subscribes and waits until the server has agreed.
func (c *Client) joined(channel string, config ...centrifuge.SubscriptionConfig) *Subscription {
	subscription := c.subscription(channel, config...)
	subscription.agreed.count(1)
	return subscription
}

func (s *Subscription) say(value any) {
	_, err := s.Publish(whenever, pack(value))
	must(err)
}

func pack(value any) []byte {
	packed, err := json.Marshal(value)
	must(err)
	return packed
}

func unpack[T any](data []byte) (value T) {
	must(json.Unmarshal(data, &value))
	return value
}

// refusal is the code of a call that must be refused.
func refusal(err error) uint32 {
	refused, is := err.(*centrifuge.Error)
	if !is {
		fail("refused by %T %v instead of a code", err, err)
	}
	return refused.Code
}

// api calls a method of the server's HTTP API and returns its result.
func api(method string, params map[string]any) json.RawMessage {
	request, err := http.NewRequest(http.MethodPost, apiURL+"/"+method, bytes.NewReader(pack(params)))
	must(err)
	request.Header.Set("X-API-Key", key)
	response, err := backend.Do(request)
	must(err)
	defer response.Body.Close()
	var answer struct{ Error, Result json.RawMessage }
	must(json.NewDecoder(response.Body).Decode(&answer))
	if answer.Error != nil {
		fail("/api/%s answered %s", method, answer.Error)
	}
	return answer.Result
}

// figure is what the server tells of itself under this name.
func figure(name string) float64 {
	response, err := backend.Get(strings.TrimSuffix(apiURL, "api") + "metrics")
	must(err)
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if told, is := strings.CutPrefix(lines.Text(), name+" "); is {
			number, err := strconv.ParseFloat(told, 64)
			must(err)
			return number
		}
	}
	fail("the server does not tell %s", name)
	return 0
}

// token is a connection token, signed as a backend would. Times in the claims are Unix seconds.
func token(claims map[string]any) string { return signed(secret, claims) }

func signed(secret string, claims map[string]any) string {
	part := base64.RawURLEncoding.EncodeToString
	words := part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part(pack(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(words))
	return words + "." + part(mac.Sum(nil))
}

func secondsFromNow(seconds int64) int64 { return time.Now().Unix() + seconds }

// tell says one JSON object per line, which is how we speak to the test.
func tell(message map[string]string) { fmt.Println(string(pack(message))) }

// ask asks the test to do something to the line between us and the server, and waits until it is done.
func ask(deed string) {
	tell(map[string]string{"ask": deed})
	_, err := orders.ReadString('\n')
	must(err)
}
