package main

import (
	"sync"
	"time"
)

// patience is how long a scenario waits for anything before it calls it missing.
const patience = 10 * time.Second

// Heard is everything that was said under one name, in order, and a way to wait until enough has been said.
type Heard[T any] struct {
	what string
	lock sync.Mutex
	all  []T
	news chan struct{} // closed, and replaced, whenever something is added
}

func newHeard[T any](what string) *Heard[T] {
	return &Heard[T]{what: what, news: make(chan struct{})}
}

func (h *Heard[T]) add(item T) {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.all = append(h.all, item)
	close(h.news)
	h.news = make(chan struct{})
}

func (h *Heard[T]) now() ([]T, chan struct{}) {
	h.lock.Lock()
	defer h.lock.Unlock()
	return append([]T(nil), h.all...), h.news
}

// until waits for the condition to hold of all that was heard, and returns that.
func (h *Heard[T]) until(condition func([]T) bool) []T {
	late := time.After(patience)
	for {
		all, news := h.now()
		if condition(all) {
			return all
		}
		select {
		case <-news:
		case <-late:
			fail("waited for %s, heard %+v", h.what, all)
		}
	}
}

func (h *Heard[T]) count(n int) []T {
	return h.until(func(all []T) bool { return len(all) >= n })
}
