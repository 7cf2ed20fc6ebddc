// Package nativeops holds the operations that a convolutional network spends its time in, written for the processor's vectors,
// and puts them into the programs that GoMLX hands to XLA.
//
// XLA's CPU compiler reaches a third of what the processor can do in convolutions of few channels and their gradients, and
// passes over each map again and again for batch normalisation. Here a convolution is one tile of registers that is filled once
// (tiles_loops.h), an enlarged or concatenated image is read where it lies instead of being made, and normalisation takes the
// rectifier along. Networks are written as ever, in GoMLX's operations: Rewrite finds them in the StableHLO text, before XLA
// compiles it, and puts custom calls in their place, which XLA makes through its foreign function interface, on its own
// threads. What Rewrite does not know stays XLA's.
//
// The results are XLA's within rounding, and the same bits on any number of threads. Processors with longer vectors round
// differently: SSWE_NATIVE_OPS=8 has one with vectors of 16 numbers do as one with 8, SSWE_NATIVE_OPS=off leaves everything to XLA.
package nativeops

import (
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"
)

// EnvNativeOps turns the native operations off, by "off", or limits the numbers in a vector.
const EnvNativeOps = "SSWE_NATIVE_OPS"

// Off tells whether the user wants XLA's operations.
func Off() bool {
	switch strings.ToLower(os.Getenv(EnvNativeOps)) {
	case "off", "0", "no", "false":
		return true
	}
	return false
}

// lanes is how many numbers a vector holds: the processor's, or fewer if the user wants. C's own __builtin_cpu_supports would
// have every notebook cell linked with libgcc, which takes Go's linker 0.4 s.
func lanes() int {
	most, x86 := math.MaxInt32, cpu.X86
	if n, err := strconv.Atoi(os.Getenv(EnvNativeOps)); err == nil && n > 0 {
		most = n
	}
	switch {
	case most >= 16 && x86.HasAVX512F && x86.HasAVX512BW && x86.HasAVX512DQ && x86.HasAVX512VL:
		return 16
	case most >= 8 && x86.HasAVX2 && x86.HasFMA:
		return 8
	}
	return 4
}
