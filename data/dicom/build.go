package dicom

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/google/renameio/v2"
	lib "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// builder collects the elements of one data set or sequence item. The first
// error stays.
type builder struct {
	elements []*lib.Element
	err      error
}

// set adds an element: strings, ints, floats, or items of a sequence.
func (b *builder) set(t tag.Tag, value any) {
	switch v := value.(type) {
	case string:
		value = []string{v}
	case int:
		value = []int{v}
	case float64:
		value = []float64{v}
	}
	e, err := lib.NewElement(t, value)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("element %s: %w", tag.DebugString(t), err)
	}
	b.elements = append(b.elements, e)
}

// sequence adds a sequence of one item that fill fills, or of none for nil.
func (b *builder) sequence(t tag.Tag, fill func(*builder)) {
	items := [][]*lib.Element{}
	if fill != nil {
		item := new(builder)
		fill(item)
		if item.err != nil && b.err == nil {
			b.err = item.err
		}
		items = append(items, item.sorted())
	}
	b.set(t, items)
}

// code adds a coded concept, PS3.3 section 8.
func (b *builder) code(t tag.Tag, value, scheme, meaning string) {
	b.sequence(t, func(c *builder) {
		c.set(tag.CodeValue, value)
		c.set(tag.CodingSchemeDesignator, scheme)
		c.set(tag.CodeMeaning, meaning)
	})
}

// sorted are the elements in the order of the standard.
func (b *builder) sorted() []*lib.Element {
	if b.err != nil {
		return nil
	}
	slices.SortFunc(b.elements, func(x, y *lib.Element) int { return x.Tag.Compare(y.Tag) })
	return b.elements
}

// writeFile writes the data set to path, whole or not at all.
func (b *builder) writeFile(path string) error {
	elements := b.sorted()
	if b.err != nil {
		return b.err
	}
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if err := lib.Write(f, lib.Dataset{Elements: elements}); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

// decimal is a number as the value representation DS allows it: 16 characters.
func decimal(x float64) string {
	for precision := 15; ; precision-- {
		if s := strconv.FormatFloat(x, 'g', precision, 64); len(s) <= 16 {
			return s
		}
	}
}

// newUID names a new object after everything that makes it what it is, as a
// version 8 UUID under 2.25 (PS3.5 B.2): the same inputs are the same object.
// The identity among the parts is keyed, so nothing can be traced back.
func newUID(kind string, parts ...[]byte) string {
	h := sha256.New()
	for _, p := range append([][]byte{[]byte(kind)}, parts...) {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(p))))
		h.Write(p)
	}
	return uuidUID(h.Sum(nil))
}

// uuidUID makes a UID of the first 16 bytes of a hash.
func uuidUID(hash []byte) string {
	id := slices.Clone(hash[:16])
	id[6] = id[6]&0x0F | 0x80 // version 8: custom
	id[8] = id[8]&0x3F | 0x80 // variant of RFC 9562
	return "2.25." + new(big.Int).SetBytes(id).String()
}
