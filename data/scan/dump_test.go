package scan
import ("testing";"os";"image/png")
func TestDump(t *testing.T){
 for i,m:=range []made{{name:"a",opacity:.5,limitKPa:150,colours:jet(),pxPerCM:64},{name:"b",sideways:true,opacity:.6,limitKPa:75,colours:warmJet(),pxPerCM:52,barLeft:true,sector:true,plainFirst:true}} {
 im,_:=m.draw(t); f,_:=os.Create("/tmp/scan/dump"+string(rune('0'+i))+".png"); png.Encode(f,im); f.Close()}
}
