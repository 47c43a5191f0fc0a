// SPDX-License-Identifier: MIT

// frames [DEVICE [FRAMES]] lists the devices; reads so many frames of one, and tells what it lost.
// It goes on when the device is unplugged and comes back. Nothing but the standard library is needed.
//
// Build: go build -o frames-go frames.go
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

var (
	states = []string{"", "offline", "available", "error", "removed"}
	native = binary.LittleEndian // Records are in native order: BigEndian on s390x.
)

func devices() {
	folders, _ := filepath.Glob("/sys/class/devring/devring*")
	for _, folder := range folders {
		fmt.Print("device")
		for _, name := range []string{"link", "type", "state"} {
			value, _ := os.ReadFile(filepath.Join(folder, name))
			fmt.Print(" ", strings.TrimSpace(string(value)))
		}
		fmt.Println()
	}
}

type reader struct {
	fd           int
	ring         []byte
	base         uint64
	frames, lost uint64
}

// generation maps the ring that replaced the last one.
func (r *reader) generation(record []byte) error {
	if r.ring != nil {
		syscall.Munmap(r.ring)
	}
	r.base = native.Uint64(record[24:])
	length := native.Uint64(record[32:])
	ring, err := syscall.Mmap(r.fd, int64(r.base), int(length), syscall.PROT_READ, syscall.MAP_SHARED)
	r.ring = ring
	fmt.Println("ring", native.Uint32(record[8:]))
	if errors.Is(err, syscall.ESTALE) {
		return nil // Replaced already; another record follows.
	}
	return err
}

func (r *reader) frame(record []byte) {
	sequence, offset, lost := native.Uint64(record[8:]), native.Uint64(record[16:]), native.Uint64(record[32:])
	length := uint64(native.Uint32(record[48:]))
	r.lost += lost
	if r.ring == nil {
		r.lost++
		return
	}
	r.frames++
	sum := uint32(0)
	// In the ring itself: it stands still until the next read.
	for _, b := range r.ring[offset-r.base : offset-r.base+length] {
		sum += uint32(b)
	}
	fmt.Printf("frame %d: %d bytes, %d lost, sum %d\n", sequence, length, lost, sum)
}

func (r *reader) read(wanted uint64) error {
	buffer := make([]byte, 128)
	for r.frames < wanted {
		n, err := syscall.Read(r.fd, buffer)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return err
		}
		for records := buffer[:n]; len(records) > 0; records = records[native.Uint16(records):] {
			switch native.Uint16(records[2:]) {
			case 1:
				r.frame(records)
			case 2:
				if err := r.generation(records); err != nil {
					return err
				}
			case 3:
				fmt.Println("state", states[native.Uint32(records[8:])])
			}
		}
	}
	return nil
}

func main() {
	wanted := uint64(60)
	devices()
	if len(os.Args) < 2 {
		return
	}
	if len(os.Args) > 2 {
		wanted, _ = strconv.ParseUint(os.Args[2], 10, 64)
	}
	fd, err := syscall.Open(os.Args[1], syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	r := reader{fd: fd}
	if err == nil {
		err = r.read(wanted)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "frames:", err)
		os.Exit(1)
	}
	fmt.Printf("%d frames, %d lost\n", r.frames, r.lost)
}
