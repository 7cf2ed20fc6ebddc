package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
)

// NetworkLayer is a layer of an encoder-decoder, in the order in which data pass.
type NetworkLayer struct {
	Name, Kind              string // Kind: input, conv, pool, up, concat or output
	Height, Width, Channels int    // of what the layer gives out
	Params                  int    // trainable parameters
	SkipFrom                int    // index of the earlier layer whose output joins here, or −1
}

// kindColors also gives the order of the key.
var kindColors = []struct {
	kind, words string
	fill        color.NRGBA
}{
	{"input", "image in", color.NRGBA{0x8C, 0x8C, 0x8C, 0xFF}},
	{"conv", "convolution", blue},
	{"pool", "pooling", vermillion},
	{"up", "up-sampling", green},
	{"concat", "concatenation", color.NRGBA{0xC9, 0xC9, 0xC9, 0xFF}},
	{"output", "elasticity out", orange},
}

func kindColor(kind string) (color.NRGBA, bool) {
	for _, k := range kindColors {
		if k.kind == kind {
			return k.fill, true
		}
	}
	return color.NRGBA{}, false
}

// Network draws the layers as blocks from left to right: the lower a block stands, the coarser its resolution; its height grows with the image and its
// width with the channels, both as logarithms. Arrows across are skip connections.
func Network(layers []NetworkLayer, st Style) (*Figure, error) {
	const name = "Network"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if len(layers) == 0 {
		return nil, refuse(name, errors.New("layers: none given"))
	}
	params := 0
	for i, l := range layers {
		switch _, known := kindColor(l.Kind); {
		case !known:
			return nil, refuse(name, fmt.Errorf("layers[%d] (%s): unknown kind %q; use input, conv, pool, up, concat or output", i, l.Name, l.Kind))
		case l.Height <= 0 || l.Width <= 0 || l.Channels <= 0:
			return nil, refuse(name, fmt.Errorf("layers[%d] (%s): shape %d × %d × %d", i, l.Name, l.Height, l.Width, l.Channels))
		case l.SkipFrom >= i:
			return nil, refuse(name, fmt.Errorf("layers[%d] (%s): SkipFrom %d is no earlier layer; -1 is none", i, l.Name, l.SkipFrom))
		}
		params += l.Params
	}
	g, pitch := layoutNetwork(layers), networkPitch(len(layers))
	paint := func(p page) {
		p.networkKey(layers)
		for i, l := range layers {
			if i > 0 {
				p.flow(g[i-1], g[i])
			}
			if l.SkipFrom >= 0 {
				p.skip(g[l.SkipFrom], g[i])
			}
		}
		for i, l := range layers {
			b := g[i]
			fill, _ := kindColor(l.Kind)
			area := p.rect(b.x-b.w/2, b.y-b.h/2, b.w, b.h)
			p.SetColor(fill)
			p.Fill(area.Path())
			p.SetLineStyle(solid(ink, 0.5))
			p.Stroke(area.Path())
			channels := channelWords(l.Channels)
			p.writeWithin(tickPen, b.x, b.y-b.h/2-0.9, baseCentre, channels, pitch-0.3)
		}
		for _, r := range runs(layers) {
			first, last := g[r.first], g[r.last]
			size := fmt.Sprintf("%d × %d", layers[r.first].Height, layers[r.first].Width)
			room := math.Max(last.x-first.x+1.2*pitch, 10)
			p.writeWithin(notePen, (first.x+last.x)/2, first.y+first.h/2+1.2, topCentre, size, room)
		}
		bottom := g.bottom() + 6
		p.write(notePen, doubleColumnMM/2, bottom, baseCentre, fmt.Sprintf("Above each block: channels. Below: height × width in pixels. %s trainable parameters.", count(params)))
	}
	first, last := layers[0], layers[len(layers)-1]
	skips := 0
	for _, l := range layers {
		if l.SkipFrom >= 0 {
			skips++
		}
	}
	alt := fmt.Sprintf("Encoder-decoder of %d layers (%s) with %d skip connections and %s parameters, from %d × %d × %d to %d × %d × %d.",
		len(layers), kindWords(layers), skips, count(params), first.Height, first.Width, first.Channels, last.Height, last.Width, last.Channels)
	return newFigure(name, doubleColumnMM, g.bottom()+8, st, alt, paint), nil
}

// block is a layer on the page, in mm.
type block struct {
	x, y, w, h float64 // middle and size
}

type blocks []block

func (g blocks) bottom() float64 {
	bottom := 0.0
	for _, b := range g {
		bottom = math.Max(bottom, b.y+b.h/2+4)
	}
	return bottom
}

func networkPitch(n int) float64 { return math.Min(16, (doubleColumnMM-14)/float64(n)) }

func layoutNetwork(layers []NetworkLayer) blocks {
	const top = 12.0
	pitch := networkPitch(len(layers))
	tallest := 0
	channels := 1
	for _, l := range layers {
		tallest = max(tallest, l.Height)
		channels = max(channels, l.Channels)
	}
	level := func(height int) float64 { return math.Log2(float64(tallest) / float64(height)) }
	deepest := 0.0
	for _, l := range layers {
		deepest = math.Max(deepest, level(l.Height))
	}
	// Heights fall by a constant factor a level, so that the coarsest block is still seen.
	blockHeight := func(level float64) float64 { return 16 * math.Pow(0.72, level) }
	middle := func(at float64) float64 {
		y := top + blockHeight(0)/2
		for k := 0.0; k < at; k++ {
			part := math.Min(1, at-k)
			y += part * (blockHeight(k)/2 + blockHeight(k+1)/2 + 7)
		}
		return y
	}
	left := (doubleColumnMM - pitch*float64(len(layers))) / 2
	var g blocks
	for i, l := range layers {
		share := math.Log2(1+float64(l.Channels)) / math.Log2(1+float64(channels))
		g = append(g, block{
			x: left + pitch*(float64(i)+0.5), y: middle(level(l.Height)),
			w: pitch * (0.18 + 0.44*share), h: blockHeight(level(l.Height)),
		})
	}
	return g
}

// run is a stretch of layers at one resolution.
type run struct{ first, last int }

func runs(layers []NetworkLayer) []run {
	var out []run
	for i, l := range layers {
		if i > 0 && l.Height == layers[i-1].Height && l.Width == layers[i-1].Width {
			out[len(out)-1].last = i
			continue
		}
		out = append(out, run{i, i})
	}
	return out
}

func (p page) flow(a, b block) {
	sty := solid(softInk, 0.6)
	from, to := p.point(a.x+a.w/2, a.y), p.point(b.x-b.w/2, b.y)
	if a.y == b.y {
		p.StrokeLines(sty, []vg.Point{from, to})
		return
	}
	// Down or up to another resolution: a line between the facing edges, in the gap between the blocks.
	between := (from.X + to.X) / 2
	p.StrokeLines(sty, []vg.Point{from, {X: between, Y: from.Y}, {X: between, Y: to.Y}, to})
}

// skip draws an arrow from the top third of a block to the one that it joins.
func (p page) skip(a, b block) {
	from, to := p.point(a.x+a.w/2, a.y-a.h/4), p.point(b.x-b.w/2, b.y-b.h/4)
	p.StrokeLines(dashed(purple, 0.9, 3, 1.5), []vg.Point{from, to})
	const head = 3.2
	p.FillPolygon(purple, []vg.Point{to, {X: to.X - head, Y: to.Y + head/2}, {X: to.X - head, Y: to.Y - head/2}})
}

func (p page) networkKey(layers []NetworkLayer) {
	used := map[string]bool{}
	skips := false
	for _, l := range layers {
		used[l.Kind] = true
		skips = skips || l.SkipFrom >= 0
	}
	var entries []entry
	for _, k := range kindColors {
		if used[k.kind] {
			entries = append(entries, entry{text: k.words, fill: k.fill})
		}
	}
	if skips {
		line := dashed(purple, 0.9, 3, 1.5)
		entries = append(entries, entry{text: "skip connection", line: &line})
	}
	p.legend(4, 3, doubleColumnMM-8, entries)
}

// channelWords writes a number of channels in three figures: 1536 is "1.5k", of 1024.
func channelWords(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%.3gk", float64(n)/1024)
}

func kindWords(layers []NetworkLayer) string {
	n := map[string]int{}
	for _, l := range layers {
		n[l.Kind]++
	}
	var words []string
	for _, k := range kindColors {
		if n[k.kind] > 0 {
			words = append(words, fmt.Sprintf("%d %s", n[k.kind], k.kind))
		}
	}
	return strings.Join(words, ", ")
}
