package words

// treeTexts name all of a type or group, and parts of an object, in sentences.
var treeTexts = map[string]text{
	"object.part":    {en: "%[1]s of %[2]s", ru: "часть %[1]s в %[2]s"},
	"object.all":     {en: "all of %s", ru: "всё в %s"},
	"object.nogroup": {en: "everything without a group", ru: "всё без группы"},

	"editing.all": {
		en: "%[1]s has kept %[2]s closed since %[3]s",
		ru: "%[1]s держит %[2]s закрытым с %[3]s",
	},
	"busy.all": {
		en: "busy: %[1]s has kept %[2]s closed since %[3]s",
		ru: "занято: %[1]s держит %[2]s закрытым с %[3]s",
	},
	"busy.self.all": {
		en: "busy: %[1]s, that is you in another tab or session, has kept %[2]s closed since %[3]s",
		ru: "занято: %[1]s, то есть вы сами из другой вкладки или другого сеанса, держит %[2]s закрытым с %[3]s",
	},
	"busy.also":      {en: "also busy: %s", ru: "также занято: %s"},
	"busy.also.held": {en: "%[1]s (%[2]s)", ru: "%[1]s (%[2]s)"},
	"busy.draining": {
		en: "%[1]s has been waiting for %[2]s since %[3]s, so nothing else in it can be locked",
		ru: "%[1]s с %[3]s ждёт, пока освободится %[2]s; до тех пор ничего другого там не занять",
	},
}
