package show

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"slices"
)

// small encodes a picture in a palette of at most 256 colours, a third of the bytes of full colour: an executed notebook stays
// below a megabyte. Figures have few colours besides their maps, so that no eye sees the difference; files get full colour.
func small(m image.Image) []byte {
	pixels := onPaper(m)
	palette, index := quantise(pixels)
	out := image.NewPaletted(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()), palette)
	for i, p := range pixels {
		if i > 0 && p == pixels[i-1] { // most pixels are as the one before
			out.Pix[i] = out.Pix[i-1]
			continue
		}
		out.Pix[i] = index[p]
	}
	var buf bytes.Buffer
	Must(png.Encode(&buf, out)) // best compression takes ten times as long for a hundredth of the bytes
	return buf.Bytes()
}

// onPaper lists a picture's colours row by row, red, green, blue, as they look on white paper.
func onPaper(m image.Image) [][3]uint8 {
	paper := image.NewRGBA(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
	draw.Draw(paper, paper.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(paper, paper.Rect, m, m.Bounds().Min, draw.Over)
	pixels := make([][3]uint8, len(paper.Pix)/4)
	for i := range pixels {
		pixels[i] = [3]uint8(paper.Pix[4*i : 4*i+3])
	}
	return pixels
}

// tint is an opaque colour and how many pixels have it.
type tint struct {
	c [3]uint8
	n int
}

// quantise chooses a palette by cutting boxes of colours, as Heckbert (1982) does: the box whose longest side, weighted by its
// pixels, is largest is cut in the middle, until there are 256. It returns for each colour its place in the palette.
func quantise(pixels [][3]uint8) (color.Palette, map[[3]uint8]uint8) {
	count := map[[3]uint8]int{}
	run := 0
	for i, p := range pixels {
		if run++; i+1 == len(pixels) || pixels[i+1] != p {
			count[p] += run
			run = 0
		}
	}
	all := make([]tint, 0, len(count))
	for c, n := range count {
		all = append(all, tint{c, n})
	}
	slices.SortFunc(all, func(a, b tint) int { return slices.Compare(a.c[:], b.c[:]) }) // maps have no order, pictures must
	boxes := []tintBox{newTintBox(all)}
	for len(boxes) < 256 {
		widest := 0
		for i := range boxes {
			if boxes[i].weight > boxes[widest].weight {
				widest = i
			}
		}
		if boxes[widest].weight == 0 {
			break // each box holds one colour
		}
		low, high := boxes[widest].cut()
		boxes[widest] = low
		boxes = append(boxes, high)
	}
	palette, index := make(color.Palette, len(boxes)), make(map[[3]uint8]uint8, len(all))
	for i, box := range boxes {
		palette[i] = box.mean()
		for _, t := range box.tints {
			index[t.c] = uint8(i)
		}
	}
	return palette, index
}

// tintBox is a set of colours, the axis (red, green or blue) along which it is longest, and how much a cut there would mend.
type tintBox struct {
	tints  []tint
	axis   int
	weight float64
}

func newTintBox(tints []tint) tintBox {
	box := tintBox{tints: tints}
	longest, pixels := 0, 0
	for axis := range 3 {
		low, high := 255, 0
		for _, t := range tints {
			low, high = min(low, int(t.c[axis])), max(high, int(t.c[axis]))
		}
		if high-low > longest {
			longest, box.axis = high-low, axis
		}
	}
	for _, t := range tints {
		pixels += min(t.n, 100) // paper white must not outweigh a small map
	}
	box.weight = float64(longest) * float64(longest) * math.Sqrt(float64(pixels))
	return box
}

// cut parts the box in the middle of its longest axis; neither part is empty.
func (b tintBox) cut() (low, high tintBox) {
	slices.SortStableFunc(b.tints, func(s, t tint) int { return cmp.Compare(s.c[b.axis], t.c[b.axis]) })
	middle := (int(b.tints[0].c[b.axis]) + int(b.tints[len(b.tints)-1].c[b.axis])) / 2
	at := slices.IndexFunc(b.tints, func(t tint) bool { return int(t.c[b.axis]) > middle })
	return newTintBox(b.tints[:at:at]), newTintBox(b.tints[at:])
}

func (b tintBox) mean() color.Color {
	var sum [3]int
	pixels := 0
	for _, t := range b.tints {
		for k, v := range t.c {
			sum[k] += int(v) * t.n
		}
		pixels += t.n
	}
	return color.RGBA{uint8(sum[0] / pixels), uint8(sum[1] / pixels), uint8(sum[2] / pixels), 255}
}
