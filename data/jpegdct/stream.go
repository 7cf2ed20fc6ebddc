package jpegdct

import "encoding/binary"

// coded is what a stream holds: coefficients as whole numbers of steps.
type coded struct {
	steps      [3]Steps    // 0 where they could not be read
	components []component // empty where they could not be read, or come progressively
}

type component struct {
	h, v      int // blocks of one unit of an interleaved scan, across and down
	across    int // blocks
	id, table byte
	counts    []int16 // [down, across, 8, 8] steps; nil before its scan
}

// block is a block's levels relative to the middle.
func (c *coded) block(number, x, y int) (levels Block, ok bool) {
	if number >= len(c.components) {
		return levels, false
	}
	m := &c.components[number]
	if x >= m.across || (y*m.across+x+1)*Side*Side > len(m.counts) {
		return levels, false
	}
	steps := &c.steps[number]
	for k, n := range m.counts[(y*m.across+x)*Side*Side:][:Side*Side] {
		levels[k] = steps[k] * float64(n)
	}
	return levels.Inverse(), true
}

// Markers of a stream (ITU-T T.81, table B.1).
const (
	firstFrame     = 0xC0
	lastSequential = 0xC1
	lastFrame      = 0xC2 // progressive: the last that image/jpeg reads
	huffman        = 0xC4
	firstRestart   = 0xD0
	lastRestart    = 0xD7
	startOfImage   = 0xD8
	endOfImage     = 0xD9
	startOfScan    = 0xDA
	quantisation   = 0xDB
	restart        = 0xDD
)

// reader goes through a stream that image/jpeg has decoded.
type reader struct {
	coded
	width, height int // px
	sequential    bool
	quantisation  [4]Steps
	dc, ac        [4]codes
	interval      int // units between restarts, 0 for none
}

// readCoded reads what it can: nothing, the steps, or the steps and the
// coefficients.
func readCoded(b []byte) coded {
	var r reader
	for i := 0; i+4 <= len(b); {
		marker, n := b[i+1], int(binary.BigEndian.Uint16(b[i+2:]))
		switch {
		case b[i] != 0xFF || marker == 0xFF: // image/jpeg passes over stray bytes, too
			i++
			continue
		case marker == 0 || marker == startOfImage || marker >= firstRestart && marker <= lastRestart:
			i += 2
			continue
		case marker == endOfImage:
			return r.coded
		}
		i += 4
		if n < 2 || n-2 > len(b)-i {
			return coded{steps: r.steps}
		}
		segment := b[i : i+n-2]
		i += n - 2
		ok := true
		switch {
		case marker == quantisation:
			ok = r.readSteps(segment)
		case marker == huffman:
			ok = r.readCodes(segment)
		case marker == restart && len(segment) >= 2:
			r.interval = int(binary.BigEndian.Uint16(segment))
		case marker >= firstFrame && marker <= lastFrame:
			r.sequential = marker <= lastSequential
			ok = r.readFrame(segment)
		case marker == startOfScan:
			for k, c := range r.components {
				r.steps[k] = r.quantisation[c.table]
			}
			if ok = r.sequential; ok {
				var used int
				used, ok = r.readScan(segment, b[i:])
				i += used
			}
		}
		if !ok {
			return coded{steps: r.steps}
		}
	}
	return r.coded
}

// zigzag is the place of each coefficient of a table or a block.
var zigzag = [Side * Side]int{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// readSteps reads tables of steps (T.81, B.2.4.1).
func (r *reader) readSteps(b []byte) bool {
	for len(b) > 0 {
		head, width := b[0], 1
		if head&0xF0 != 0 {
			width = 2
		}
		if b = b[1:]; len(b) < width*len(zigzag) {
			return false
		}
		table := &r.quantisation[head&3]
		for k, place := range zigzag {
			if width == 1 {
				table[place] = float64(b[k])
			} else {
				table[place] = float64(binary.BigEndian.Uint16(b[2*k:]))
			}
		}
		b = b[width*len(zigzag):]
	}
	return true
}

// readFrame reads what the components are (T.81, B.2.2).
func (r *reader) readFrame(b []byte) bool {
	if len(b) != 6+3*3 || r.components != nil {
		return false
	}
	r.height, r.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	for ; len(b) > 6; b = b[3:] {
		c := component{id: b[6], h: int(b[7] >> 4), v: int(b[7] & 15), table: b[8] & 3}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return false
		}
		r.components = append(r.components, c)
	}
	return true
}
