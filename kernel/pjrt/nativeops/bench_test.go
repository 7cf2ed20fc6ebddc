//go:build linux && cgo

package nativeops_test

import (
	"fmt"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
)

// BenchmarkConvolution times the paper preset's layers at batch 8. GFLOP/s are counted as a plain convolution needs them:
// Winograd's algorithm shows as more than the processor has.
//
//	go test ./kernel/pjrt/nativeops -run xxx -bench Convolution
func BenchmarkConvolution(b *testing.B) {
	const batch = 8
	for _, l := range []struct{ height, width, channels int }{{64, 96, 16}, {32, 48, 32}, {16, 24, 64}, {8, 12, 128}, {4, 6, 256}} {
		x, k := random(1, batch, l.height, l.width, l.channels), kernel(2, 3, l.channels, l.channels)
		forward := 2 * 9 * float64(batch*l.height*l.width*l.channels*l.channels)
		for _, pass := range []struct {
			name  string
			flops float64
			graph func(x, k *Node) *Node
		}{
			// Sums, so that no image has to be copied out.
			{"forward", forward, func(x, k *Node) *Node { return ReduceAllSum(Convolve(x, k).PadSame().Done()) }},
			{"with gradients", 3 * forward, func(x, k *Node) *Node {
				g := Gradient(ReduceAllSum(Square(Convolve(x, k).PadSame().Done())), x, k)
				return Add(ReduceAllSum(g[0]), ReduceAllSum(g[1]))
			}},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d %s", l.height, l.width, l.channels, pass.name), func(b *testing.B) {
				e := MustNewExec(backend, pass.graph)
				e.MustCall(x, k)
				for b.Loop() {
					e.MustCall(x, k)
				}
				b.ReportMetric(pass.flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
