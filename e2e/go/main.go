// Runs every scenario in one encoding and says, a JSON object per line, what held:
//
//	scenarios json|protobuf
package main

import (
	"fmt"
	"os"
	"runtime/debug"
)

// played runs one scenario in a world of its own; its failure comes back as a sentence.
func played(scene func(*World, string), encoding, room string) (why string) {
	world := &World{encoding: encoding}
	defer world.end()
	defer func() {
		// Whatever it was, the test wants to hear of it, and of the scenarios after it.
		if thrown := recover(); thrown != nil {
			if known, is := thrown.(failure); is {
				thrown = known.why
			}
			why = fmt.Sprintf("%v\n%s", thrown, debug.Stack())
		}
	}()
	scene(world, room)
	return ""
}

func main() {
	if len(os.Args) != 2 || (os.Args[1] != "json" && os.Args[1] != "protobuf") {
		fmt.Fprintln(os.Stderr, "usage: scenarios json|protobuf")
		os.Exit(2)
	}
	encoding := os.Args[1]
	for number, scenario := range scenarios {
		if why := played(scenario.scene, encoding, fmt.Sprintf("go-%s-%d", encoding, number)); why != "" {
			tell(map[string]string{"failed": scenario.sentence, "why": why})
		} else {
			tell(map[string]string{"held": scenario.sentence})
		}
	}
}
