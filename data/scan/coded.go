package scan

import (
	"image"
	"math"

	"elastography/data/jpegdct"
)

// What a pixel in a block of a JPEG can be when a bar's colours are to be read
// from the block's coefficients, as standard deviations of what is expected there.
const (
	barPixel        = 0.3 // levels: the bar's colour, rounded
	backgroundPixel = 2   // black, or the commonest dark level
	strangePixel    = 25  // whatever the decoded picture shows: print, the grey bar
	edgePixel       = 60  // a mixture of the bar and what is beside it
)

// steps tells whether it is known how coarsely the picture was coded.
func (s *sight) steps() bool { return s.planes != nil && s.planes[0].Steps[0] > 0 }

// codedEvidence is what the coefficients of a JPEG say of a bar's colours at
// whole pixels along it, as brightness, blue and red difference. Every
// coefficient is known to within its step, however the decoded pixels look: in a
// block on the bar's edge or its end their noise is many levels and no accident.
func (s *sight) codedEvidence(b *bar, from, to int) *evidence {
	e := &evidence{}
	for i := from; i < to; i++ {
		e.pos = append(e.pos, float64(i)+0.5)
	}
	const wide = 32 // px across the bar that say enough
	sure := b.inner()
	doubtful := b.rect.Inset(-1)
	if b.vertical {
		spare := max(0, sure.Dx()-wide) / 2
		sure = image.Rect(sure.Min.X+spare, from, sure.Max.X-spare, to)
	} else {
		spare := max(0, sure.Dy()-wide) / 2
		sure = image.Rect(from, sure.Min.Y+spare, to, sure.Max.Y-spare)
	}
	for c, plane := range s.planes {
		reach := jpegdct.Side*max(plane.FX, plane.FY) + 1
		e.linear[c], e.square[c] = make([]float64, len(e.pos)), make([][]float64, len(e.pos))
		for i := range e.square[c] {
			e.square[c][i] = make([]float64, min(reach, len(e.pos)-i))
		}
		size := image.Pt(jpegdct.Side*plane.FX, jpegdct.Side*plane.FY)
		for y := sure.Min.Y / size.Y * size.Y; y < sure.Max.Y; y += size.Y {
			for x := sure.Min.X / size.X * size.X; x < sure.Max.X; x += size.X {
				s.addBlock(e, c, image.Rectangle{image.Pt(x, y), image.Pt(x, y).Add(size)}, sure, doubtful, b.vertical, from)
			}
		}
	}
	return e
}

// codedEnds finds where a bar in a JPEG ends: the places near first and last
// between which the line's colours, and beyond which the background, leave least
// of the coefficients. In decoded pixels an end is smeared over its block.
func (s *sight) codedEnds(b *bar, line brokenLine, first, last float64) (float64, float64) {
	const (
		beyond = 3 // px that have to be background
		near   = 1 // px
		step   = 0.05
	)
	from, to := int(math.Floor(first))-beyond, int(math.Ceil(last))+beyond
	limit := s.h
	if !b.vertical {
		limit = s.w
	}
	if from < 0 || to > limit {
		return first, last
	}
	dark := vec{s.back, s.back, s.back}
	for k := range beyond - 1 {
		for _, i := range [2]int{from + k, to - 1 - k} {
			if c, _ := s.across(b, i); c.sub(dark).norm() > strangePixel {
				return first, last // a frame, or print
			}
		}
	}
	e := s.codedEvidence(b, from, to)
	background := vec{s.back, 128, 128}
	colours := make([]vec, len(e.pos))
	left := func(first, last float64) float64 {
		for i, p := range e.pos {
			colours[i] = mix(background, line.at(p), clamp01(min(p+0.5, last)-max(p-0.5, first)))
		}
		return e.left(colours)
	}
	best := left(first, last)
	at := [2]float64{first, last}
	for end := range at {
		around := at[end]
		for d := -float64(near); d <= near; d += step {
			try := at
			try[end] = around + d
			if l := left(try[0], try[1]); l < best {
				best, at = l, try
			}
		}
	}
	return at[0], at[1]
}

// addBlock adds what one block says of the colours from the first on.
func (s *sight) addBlock(e *evidence, channel int, block, sure, doubtful image.Rectangle, vertical bool, first int) {
	const n = jpegdct.Side * jpegdct.Side
	plane := s.planes[channel]
	var residual, variance jpegdct.Block // of the samples, without the bar
	parts := map[int]*jpegdct.Block{}    // by position: its share of each sample
	share := 1 / float64(plane.FX*plane.FY)
	for y := block.Min.Y; y < block.Max.Y; y++ {
		for x := block.Min.X; x < block.Max.X; x++ {
			at := (y-block.Min.Y)/plane.FY*jpegdct.Side + (x-block.Min.X)/plane.FX
			if !image.Pt(x, y).In(sure) {
				level, deviation := s.expected(channel, x, y, doubtful)
				residual[at] -= share * (level - 128)
				variance[at] += share * share * deviation * deviation
				continue
			}
			variance[at] += share * share * barPixel * barPixel
			i := x - first
			if vertical {
				i = y - first
			}
			if parts[i] == nil {
				parts[i] = &jpegdct.Block{}
			}
			parts[i][at] += share
			residual[at] += share * 128 // the form is in levels, a block relative to 128
		}
	}
	for at := range residual {
		x, y := block.Min.X/plane.FX+at%jpegdct.Side, block.Min.Y/plane.FY+at/jpegdct.Side
		residual[at] += float64(plane.Levels[y*plane.Width+x]) - 128
	}

	// The coefficients' noise: of their own rounding, and of what is not the bar.
	noise := newSymmetric(n)
	for k, step := range plane.Steps {
		noise.lower[k*n+k] = step * step / 12
	}
	for at, v := range variance {
		if v > 0 {
			wave := coefficients[at]
			for i, p := range wave {
				for j, q := range wave[:i+1] {
					noise.lower[i*n+j] += v * p * q
				}
			}
		}
	}
	if !noise.decompose() {
		return // a step of 0
	}
	whitened := func(b *jpegdct.Block) []float64 {
		c := b.Forward()
		noise.whiten(c[:])
		return c[:]
	}
	r := whitened(&residual)
	e.samples += n
	for _, v := range r {
		e.constant += v * v
	}
	waves := map[int][]float64{}
	for i, part := range parts {
		waves[i] = whitened(part)
		for k, v := range waves[i] {
			e.linear[channel][i] += v * r[k]
		}
	}
	for i, p := range waves {
		for j, q := range waves {
			if j >= i {
				for k, v := range p {
					e.square[channel][i][j-i] += v * q[k]
				}
			}
		}
	}
}

// coefficients are those of a block with one sample of 1.
var coefficients = func() (out [jpegdct.Side * jpegdct.Side]jpegdct.Block) {
	for at := range out {
		var b jpegdct.Block
		b[at] = 1
		out[at] = b.Forward()
	}
	return out
}()

// expected is the level of a pixel beside a bar and how sure that is.
func (s *sight) expected(channel, x, y int, doubtful image.Rectangle) (level, deviation float64) {
	const alike = 16 // levels
	p := image.Pt(x, y)
	if !p.In(s.bounds()) {
		return 128, edgePixel // what fills the last block up is the coder's affair
	}
	var levels [3]float64
	background := [3]float64{s.back, 128, 128}
	near := true
	for c, plane := range s.planes {
		levels[c] = float64(plane.At(x, y, s.w, s.h))
		near = near && math.Abs(levels[c]-background[c]) < alike
	}
	switch {
	case p.In(doubtful):
		return levels[channel], edgePixel
	case near:
		return background[channel], backgroundPixel
	}
	return levels[channel], strangePixel
}

// toYCbCr is the brightness of a colour and its two differences around 128.
func toYCbCr(c vec) vec {
	l := brightness(c)
	return vec{l, 128 + (c[2]-l)/1.772, 128 + (c[0]-l)/1.402}
}

// fromYCbCr is the colour of a brightness and two differences around 128.
func fromYCbCr(c vec) vec {
	c = c.sub(noColour)
	return vec{primaries[0].dot(c), primaries[1].dot(c), primaries[2].dot(c)}
}

// primaries are red, green and blue as forms in brightness and differences.
var primaries = [3]vec{{1, 0, 1.402}, {1, -0.344136, -0.714136}, {1, 1.772, 0}}

var noColour = vec{0, 128, 128}
