package jpegdct

// codes is a Huffman code (T.81, C and F.2.2.3).
type codes struct {
	least, beyond [17]int // by length in bits: the first code, and the one after the last
	first         [17]int // place of the first code's symbol
	symbols       []byte
}

// readCodes reads Huffman tables (T.81, B.2.4.2).
func (r *reader) readCodes(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 17 {
			return false
		}
		var c codes
		code, n := 0, 0
		for length := 1; length <= 16; length++ {
			c.least[length], c.first[length] = code, n
			n += int(b[length])
			code += int(b[length])
			c.beyond[length] = code
			code *= 2
		}
		if len(b) < 17+n {
			return false
		}
		c.symbols = b[17 : 17+n]
		if table := b[0] & 3; b[0]&0xF0 == 0 {
			r.dc[table] = c
		} else {
			r.ac[table] = c
		}
		b = b[17+n:]
	}
	return true
}

// bits reads the coded part of a scan. Beyond its end it reads zeros and fails.
type bits struct {
	b      []byte
	at     int
	buffer uint32
	held   int
	failed bool
}

func (s *bits) bit() int {
	if s.held == 0 {
		switch {
		case s.at >= len(s.b) || s.b[s.at] == 0xFF && (s.at+1 >= len(s.b) || s.b[s.at+1] != 0):
			s.failed = true // a marker
			return 0
		case s.b[s.at] == 0xFF:
			s.at++
			s.buffer = 0xFF
		default:
			s.buffer = uint32(s.b[s.at])
		}
		s.at++
		s.held = 8
	}
	s.held--
	return int(s.buffer>>s.held) & 1
}

// number reads a signed number of that many bits (T.81, F.2.2.1).
func (s *bits) number(n int) int {
	v := 0
	for range n {
		v = 2*v + s.bit()
	}
	if n > 0 && v < 1<<(n-1) {
		v -= 1<<n - 1
	}
	return v
}

func (s *bits) symbol(c *codes) byte {
	code := 0
	for length := 1; length <= 16; length++ {
		code = 2*code + s.bit()
		if code < c.beyond[length] {
			return c.symbols[c.first[length]+code-c.least[length]]
		}
	}
	s.failed = true
	return 0
}

// restart goes to the next restart marker.
func (s *bits) restart() {
	s.held = 0
	for ; s.at+1 < len(s.b); s.at++ {
		if m := s.b[s.at+1]; s.b[s.at] == 0xFF && m >= firstRestart && m <= lastRestart {
			s.at += 2
			return
		}
	}
	s.failed = true
}

// block reads one block's coefficients in steps (T.81, F.2.2). last is the
// component's first coefficient in the block before.
func (s *bits) block(out []int16, dc, ac *codes, last *int) {
	*last += s.number(int(s.symbol(dc) & 15))
	out[0] = int16(*last)
	for k := 1; k < Side*Side; k++ {
		symbol := s.symbol(ac)
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if run < 15 {
				return
			}
			k += 15
			continue
		}
		if k += run; k >= Side*Side {
			s.failed = true
			return
		}
		out[zigzag[k]] = int16(s.number(size))
	}
}

// part is a component's part in a scan.
type part struct {
	*component
	dc, ac *codes
	wide   int // blocks of a unit, across
	all    int // blocks of a unit
	last   int // first coefficient of the block before
}

// readScan reads the coefficients that follow a scan's header, of all components
// or of one (T.81, B.2.3 and A.2), and tells how many bytes they took.
func (r *reader) readScan(header, b []byte) (used int, ok bool) {
	if len(header) < 1 || len(header) != 4+2*int(header[0]) {
		return 0, false
	}
	h, v := 1, 1
	for _, c := range r.components {
		h, v = max(h, c.h), max(v, c.v)
	}
	across, down := ceil(r.width, Side*h), ceil(r.height, Side*v) // units
	var parts []*part
	for i := range int(header[0]) {
		c, tables := r.find(header[1+2*i]), header[2+2*i]
		if c == nil {
			return 0, false
		}
		c.across = across * c.h
		c.counts = make([]int16, c.across*down*c.v*Side*Side)
		parts = append(parts, &part{component: c, dc: &r.dc[tables>>4&3], ac: &r.ac[tables&3], wide: c.h, all: c.h * c.v})
	}
	if len(parts) == 1 { // alone, a component comes block by block, without what fills up units
		p := parts[0]
		across, down = ceil(r.width*p.h, Side*h), ceil(r.height*p.v, Side*v)
		p.wide, p.all = 1, 1
	}
	s := &bits{b: b}
	for unit := range across * down {
		if r.interval > 0 && unit > 0 && unit%r.interval == 0 {
			s.restart()
			for _, p := range parts {
				p.last = 0
			}
		}
		for _, p := range parts {
			for k := range p.all {
				x, y := unit%across*p.wide+k%p.wide, unit/across*(p.all/p.wide)+k/p.wide
				s.block(p.counts[(y*p.across+x)*Side*Side:], p.dc, p.ac, &p.last)
			}
		}
		if s.failed {
			return 0, false
		}
	}
	return s.at, true
}

// find is the component of that name, nil for none.
func (r *reader) find(id byte) *component {
	for i := range r.components {
		if r.components[i].id == id {
			return &r.components[i]
		}
	}
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }
