// What a Go program does, in small: goroutines on several threads while garbage is collected, loops that
// only a signal preempts, timers, channels, panics from faults, children.
package main

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os/exec"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type node struct {
	left, right *node
	value       int
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{value: 1}
	}
	return &node{tree(depth - 1), tree(depth - 1), depth}
}

func (n *node) sum() int {
	if n == nil {
		return 0
	}
	return n.left.sum() + n.right.sum() + n.value
}

func fault() (message string) {
	defer func() { message = fmt.Sprint(recover()) }()
	var n *node
	return fmt.Sprint(n.value)
}

func main() {
	runtime.GOMAXPROCS(4)
	fmt.Println("float", math.Sin(1e10), math.Sqrt(2), math.Mod(7.5, -2), math.FMA(2, 3, 4))
	var stop, spins int64
	go func() { // no call in this loop: the scheduler stops it by a signal
		for atomic.LoadInt64(&stop) == 0 {
			spins++
		}
	}()
	var group sync.WaitGroup
	var total int64
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for round := 0; round < 6; round++ {
				atomic.AddInt64(&total, int64(tree(12).sum()))
				if round%2 == 0 {
					runtime.GC()
				}
			}
		}()
	}
	group.Wait()
	atomic.StoreInt64(&stop, 1)
	fmt.Println("trees", total)

	numbers, squares := make(chan int), make(chan int, 10)
	for i := 0; i < 20; i++ {
		go func() {
			for n := range numbers {
				squares <- n * n
			}
		}()
	}
	go func() {
		for i := 0; i < 5000; i++ {
			numbers <- i
		}
		close(numbers)
	}()
	sum := 0
	for i := 0; i < 5000; i++ {
		sum += <-squares
	}
	fmt.Println("channels", sum)

	count := map[string]int{}
	for i := 0; i < 50000; i++ {
		count[fmt.Sprintf("k%d", i*7919%1009)]++
	}
	keys := make([]string, 0, len(count))
	for key := range count {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	fmt.Println("map", len(keys), keys[0], count["k5"])
	fmt.Printf("hash %x\n", sha256.Sum256([]byte(strings.Repeat("peng", 1000))))
	fmt.Println("fault", fault())
	ticks := 0
	for ticker := time.NewTicker(2 * time.Millisecond); ticks < 10; ticks++ {
		<-ticker.C
	}
	fmt.Println("ticks", ticks)
	for i := 0; i < 10; i++ {
		if out, err := exec.Command("/bin/echo", "child").Output(); err != nil || string(out) != "child\n" {
			fmt.Println("child", string(out), err)
		}
	}
	fmt.Println("end", runtime.GOARCH)
}
