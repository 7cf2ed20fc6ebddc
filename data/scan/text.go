package scan

import (
	"cmp"
	"image"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxGlyphs is where bright blobs beside a bar or a view stop being print: a
// noisy picture must not cost more time than a screen.
const maxGlyphs = 600

// number is a printed number: its value, its place and the unit behind it.
type number struct {
	value float64
	text  string
	unit  string // "kPa", "m/s", "cm", "mm" or "" when none was read
	rect  image.Rectangle
	conf  float64
}

// centreY is the height of the middle of the text, in pixel edges.
func (n number) centreY() float64 { return float64(n.rect.Min.Y+n.rect.Max.Y) / 2 }
func (n number) centreX() float64 { return float64(n.rect.Min.X+n.rect.Max.X) / 2 }

// readNumbers reads the numbers printed inside r, brighter than the background.
// What does not look like text is passed over; what looks like text but not
// like a number is dropped.
func (s *sight) readNumbers(r image.Rectangle) []number {
	r = r.Intersect(s.bounds())
	if r.Empty() {
		return nil
	}
	var out []number
	for _, line := range s.textLines(r) {
		out = append(out, s.parseLine(line)...)
	}
	return out
}

// textLines groups the bright blobs of r into lines of glyphs, left to right.
func (s *sight) textLines(r image.Rectangle) [][]image.Rectangle {
	bright := s.back
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			bright = max(bright, float64(s.luma[y*s.w+x]))
		}
	}
	if bright-s.back < 60 {
		return nil
	}
	// A fixed share of the full white suits print of any brightness better
	// than a share of the brightest thing around, which may be the image.
	level := uint8(min(254, s.back+max(45, 0.33*(min(bright, 220)-s.back))))
	w, h := r.Dx(), r.Dy()
	mask := make([]bool, w*h)
	for y := range h {
		for x := range w {
			i := (r.Min.Y+y)*s.w + r.Min.X + x
			mask[y*w+x] = s.luma[i] > level && s.chroma[i] < 60
		}
	}
	var glyphs []image.Rectangle
	for _, b := range blobs(mask, w, h) {
		if b.rect.Dy() <= 48 && b.rect.Dx() <= 96 {
			glyphs = append(glyphs, b.rect.Add(r.Min))
		}
	}
	if len(glyphs) > maxGlyphs {
		return nil
	}
	slices.SortFunc(glyphs, func(a, b image.Rectangle) int { return cmp.Or(a.Min.X-b.Min.X, a.Min.Y-b.Min.Y) })

	// Tall glyphs found lines; small ones (dots) join the line they lie in.
	var lines [][]image.Rectangle
	for _, tall := range []bool{true, false} {
		for _, g := range glyphs {
			if (g.Dy() >= 6 && g.Dx() >= 2) != tall {
				continue
			}
			if i := lineOf(lines, g); i >= 0 {
				lines[i] = append(lines[i], g)
			} else if tall {
				lines = append(lines, []image.Rectangle{g})
			}
		}
	}
	for i := range lines {
		slices.SortFunc(lines[i], func(a, b image.Rectangle) int { return a.Min.X - b.Min.X })
	}
	return lines
}

// lineOf finds the line a glyph continues: of about the height of one of its
// glyphs, level with it and no more than a character away.
func lineOf(lines [][]image.Rectangle, g image.Rectangle) int {
	for i, line := range lines {
		for _, o := range line {
			height := max(o.Dy(), g.Dy())
			gap := max(g.Min.X-o.Max.X, o.Min.X-g.Max.X)
			overlap := min(o.Max.Y, g.Max.Y) - max(o.Min.Y, g.Min.Y)
			alike := g.Dy() < 6 || 5*min(o.Dy(), g.Dy()) >= 3*height
			if o.Dy() >= 6 && alike && gap <= height && 2*overlap >= min(o.Dy(), g.Dy()) {
				return i
			}
		}
	}
	return -1
}

// parseLine splits a line into words and makes numbers with units of them.
func (s *sight) parseLine(line []image.Rectangle) []number {
	height := 0
	for _, g := range line {
		height = max(height, g.Dy())
	}
	var words [][]image.Rectangle
	end := -1 << 20 // the first glyph always begins a word
	for _, g := range mergeStacked(line) {
		if g.Min.X-end > max(2, height*3/10) {
			words = append(words, nil)
		}
		words[len(words)-1] = append(words[len(words)-1], g)
		end = g.Max.X
	}
	var out []number
	for _, w := range words {
		if n := len(out); n > 0 && out[n-1].unit == "" {
			if u := s.readUnit(w); u != "" {
				out[n-1].unit = u
				continue
			}
		}
		if n, ok := s.readNumber(w, height); ok {
			out = append(out, n)
		}
	}
	return out
}

// mergeStacked joins glyphs that lie above one another, like the parts of >= .
func mergeStacked(line []image.Rectangle) []image.Rectangle {
	var out []image.Rectangle
	for _, g := range line {
		if n := len(out); n > 0 && 2*(min(out[n-1].Max.X, g.Max.X)-max(out[n-1].Min.X, g.Min.X)) > min(out[n-1].Dx(), g.Dx()) {
			out[n-1] = out[n-1].Union(g)
			continue
		}
		out = append(out, g)
	}
	return out
}

// splitWide cuts blobs of touching glyphs at their darkest columns: a digit is
// never wider than three quarters of its height.
func (s *sight) splitWide(line []image.Rectangle, height int) []image.Rectangle {
	var out []image.Rectangle
	for _, g := range line {
		for 4*g.Dx() > 3*height+3 && g.Dy() >= 6 {
			cut, least := 0, math.Inf(1)
			for x := g.Min.X + max(2, height/4); x <= min(g.Max.X-3, g.Min.X+height*3/4+1); x++ {
				sum := 0.0
				for y := g.Min.Y; y < g.Max.Y; y++ {
					sum += float64(s.luma[y*s.w+x])
				}
				if sum < least {
					cut, least = x, sum
				}
			}
			if cut == 0 {
				break
			}
			out = append(out, s.tight(image.Rect(g.Min.X, g.Min.Y, cut, g.Max.Y)))
			g = s.tight(image.Rect(cut, g.Min.Y, g.Max.X, g.Max.Y))
		}
		out = append(out, g)
	}
	return out
}

// tight shrinks a rectangle to the rows that are lit.
func (s *sight) tight(r image.Rectangle) image.Rectangle {
	lit := func(y int) bool {
		for x := r.Min.X; x < r.Max.X; x++ {
			if float64(s.luma[y*s.w+x])-s.back > 50 {
				return true
			}
		}
		return false
	}
	for r.Dy() > 1 && !lit(r.Min.Y) {
		r.Min.Y++
	}
	for r.Dy() > 1 && !lit(r.Max.Y-1) {
		r.Max.Y--
	}
	return r
}

func (s *sight) shapeOf(r image.Rectangle) shape {
	return makeShape(func(x, y int) float64 {
		x, y = min(max(x, 0), s.w-1), min(max(y, 0), s.h-1)
		return float64(s.luma[y*s.w+x])
	}, r)
}

// readNumber reads a word as a number, possibly behind a sign such as >= and
// before a unit without a space.
func (s *sight) readNumber(word []image.Rectangle, height int) (number, bool) {
	n := number{conf: 1}
	if len(word) > 3 {
		if u := s.readUnit(word[len(word)-3:]); u != "" {
			n.unit, word = u, word[:len(word)-3]
		}
	}
	word = s.splitWide(word, height)
	var text strings.Builder
	for i, g := range word {
		if g.Dy() <= max(3, height*3/10) && g.Dx() <= max(3, height*4/10) {
			if text.Len() > 0 && g.Max.Y >= word[0].Max.Y-2 {
				text.WriteByte('.')
				n.rect = n.rect.Union(g)
			}
			continue
		}
		if 4*g.Dy() < 3*height {
			if text.Len() == 0 {
				continue // a sign in front
			}
			return number{}, false
		}
		char, conf := classify(s.shapeOf(g), digits+signs)
		if strings.ContainsRune(signs, char) && text.Len() == 0 {
			continue
		}
		if conf < 0.15 || strings.ContainsRune(signs, char) {
			if i == 0 && len(word) > 1 {
				continue // a sign in front
			}
			return number{}, false
		}
		text.WriteRune(char)
		n.conf = min(n.conf, conf)
		n.rect = n.rect.Union(g)
	}
	n.text = strings.Trim(text.String(), ".")
	v, err := strconv.ParseFloat(n.text, 64)
	if err != nil {
		return number{}, false
	}
	n.value = v
	return n, true
}

// readUnit reads a word as one of the units a bar or a ruler carries, "" if it
// looks like none.
func (s *sight) readUnit(word []image.Rectangle) string {
	best, unit := 0.45, ""
	for _, u := range []string{"kPa", "m/s", "cm", "mm"} {
		if v := s.likeUnit(word, u); v > best {
			best, unit = v, u
		}
	}
	return unit
}

// likeUnit is the mean likeness of a word's glyphs to a unit's letters. The
// slash has no template: it is whatever stands between m and s.
func (s *sight) likeUnit(word []image.Rectangle, unit string) float64 {
	if len(word) != len(unit) {
		return 0
	}
	sum, n := 0.0, 0.0
	tallest := 0
	for _, g := range word {
		tallest = max(tallest, g.Dy())
	}
	for i, want := range unit {
		if want == '/' {
			if word[i].Dy() < tallest {
				return 0
			}
			continue
		}
		// k and P are tall, the others are not
		if tall := 8*word[i].Dy() > 7*tallest; strings.ContainsRune("kP", want) != tall && unit == "kPa" {
			return 0
		}
		sh, v := s.shapeOf(word[i]), 0.0
		for _, t := range templates() {
			if t.char == want {
				v = max(v, sh.likeness(t.shape))
			}
		}
		sum, n = sum+v, n+1
	}
	return sum / n
}

// ruler is a straight line through printed numbers: value = zero + perPx * p
// along an axis.
type ruler struct {
	perPx, zero float64
	used        []number
}

// fitRuler finds the line through the numbers that most of them lie on. axis
// picks the coordinate; two numbers are needed. tolerance is in px.
func fitRuler(numbers []number, axis func(number) float64, tolerance float64) (ruler, bool) {
	var best ruler
	bestScore := 0.0
	for i, a := range numbers {
		for _, b := range numbers[i+1:] {
			d := axis(b) - axis(a)
			if math.Abs(d) < 8 || a.value == b.value {
				continue
			}
			r := ruler{perPx: (b.value - a.value) / d}
			r.zero = a.value - r.perPx*axis(a)
			score := 0.0
			for _, n := range numbers {
				if math.Abs(r.zero+r.perPx*axis(n)-n.value) <= tolerance*math.Abs(r.perPx) {
					r.used = append(r.used, n)
					score += 1 + n.conf
				}
			}
			if score > bestScore {
				best, bestScore = r, score
			}
		}
	}
	if len(best.used) < 2 {
		return ruler{}, false
	}
	// least squares over the numbers on the line
	var sx, sy, sxx, sxy, n float64
	for _, u := range best.used {
		x, y := axis(u), u.value
		sx, sy, sxx, sxy, n = sx+x, sy+y, sxx+x*x, sxy+x*y, n+1
	}
	if det := n*sxx - sx*sx; det > 0 {
		best.perPx = (n*sxy - sx*sy) / det
		best.zero = (sy - best.perPx*sx) / n
	}
	return best, true
}
