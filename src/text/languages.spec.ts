import { openDatabase, transaction } from '../storage/sqlite.js';
import { analyseDocument } from './analysed-document.js';
import { LEXICAL_MIGRATIONS, LexicalIndex } from './lexical-index.js';
import { searchByWords } from './results.js';

const key = { userId: 'ann', projectId: 'notes' };

/** What the project holds: a text in each language, and others that a wrong rule would find. */
const DOCUMENTS: Record<string, string> = {
  english: 'The printers were calibrated by three technicians. Rock climbing in Yosemite.',
  acronyms: 'Ask the IT department. The WHO report. The Who played "to be or not to be" live. US sales fell.',
  sales: 'Sales sales sales. Department report live. It is for us who are here.',
  names: "Łódź, København, Đorđe, smørrebrød, Zażółć gęślą jaźń. O'Connor and O'Brien met Hawaiʻi's governor.",
  code: 'def get_user_by_id(db): ...\nclass HTTPServerFactory: ...\n--no-sponge-cache OPS-31415 node:sqlite v1.25 C++ e-mail',
  german:
    'Die Straße ist gesperrt. Datenbanksicherungen laufen nachts. Müller bekam seine Jahressonderzahlung in den Häusern.',
  dutch: 'De ziekteverzekering vergoedt de behandelingen in het ziekenhuis.',
  french: "J'ai payé l'électricité et l’assurance. Une œuvre et un cœur. Qu'est-ce que l'eau ?",
  italian: "L’acqua dell’università è fredda. C'è un'idea nell'albero. Le città belle.",
  spanish: 'Las informaciones sobre los niños están en los armarios de la habitación azul.',
  portuguese: 'As informações sobre os pagamentos estão nas últimas páginas do relatório.',
  turkish: 'Diyarbakır ofisi ılık sularda. Kitaplarımızdan birini İstanbul’da okuduk.',
  russian: 'Ёлки стоят в новых зданиях нашего города, а документы подписаны директором.',
  ukrainian: 'П’ять сімей переїхали до нових будинків біля річки минулого літа.',
  greek: 'Οι εκπαιδευτικοί διδάσκουν τους μαθητές στα σχολεία της πόλης.',
  arabic: 'سافر أحمد إلى القاهرة. مُحَمَّد في البيت. أعد تشغيل الخادم.',
  persian: 'کتاب‌ها را بخوان. علی آمد و دیروز به مدرسه رفت.',
  hebrew: 'הגיבוי מתבצע בכל לילה. המחשבים נמצאים במשרד הראשי.',
  hindi: 'लड़कियाँ विद्यालय में पढ़ती हैं और किताबें पढ़ती हैं।',
  korean: '데이터베이스를 백업하려면 관리자 권한이 필요합니다. 서버는 매일 재시작됩니다. Docker로 배포한다.',
  chinese: '床前明月光,疑是地上霜。我们使用Docker部署服务,端口是8080。错误代码E1024表示磁盘已满。',
  japanese: '新しいMacBookでPython入門を読む。会議は来週の月曜日に行われる。',
  thai: 'ใช้Kubernetesในการรันเซิร์ฟเวอร์และสำรองข้อมูลทุกคืน',
  burmese: 'ဒေတာဘေ့စ်အရန်သိမ်းခြင်းကို ညတိုင်းလုပ်ဆောင်သည်။',
  vietnamese: 'đường Nguyễn Huệ nằm ở trung tâm thành phố',
  hidden: 'The trans\u00adpor\u00adta\u00adtion plan\u200b of ｆｕｌｌ ｗｉｄｔｈ letters.',
};

describe('a word is found as a speaker of its language types it', () => {
  const db = openDatabase(':memory:', LEXICAL_MIGRATIONS);
  const index = new LexicalIndex(db);
  beforeAll(async () => {
    for (const [path, text] of Object.entries(DOCUMENTS)) {
      const document = await analyseDocument({ path, title: '', text, mediaType: 'text/plain' });
      transaction(db, () => index.put(key, document));
    }
  });
  afterAll(() => db.close());

  it.each([
    ['printer calibration', 'english'],
    ['IT', 'acronyms'],
    ['WHO', 'acronyms'],
    ['The Who', 'acronyms'],
    ['US', 'acronyms'],
    ['US sales', 'acronyms'],
    ['WHO report', 'acronyms'],
    ['"to be or not to be"', 'acronyms'],
    ['lodz', 'names'],
    ['kobenhavn', 'names'],
    ['dorde', 'names'],
    ['smorrebrod', 'names'],
    ['zazolc gesla', 'names'],
    ['Connor', 'names'],
    ["O'Connor", 'names'],
    ['OConnor', 'names'],
    ["O'Brien", 'names'],
    ['hawaii', 'names'],
    ['get_user_by_id', 'code'],
    ['getUserById', 'code'],
    ['user by id', 'code'],
    ['HTTPServerFactory', 'code'],
    ['server factory', 'code'],
    ['--no-sponge-cache', 'code'],
    ['sponge cache', 'code'],
    ['OPS-31415', 'code'],
    ['31415', 'code'],
    ['ops 31415', 'code'],
    ['node:sqlite', 'code'],
    ['v1.25', 'code'],
    ['C++', 'code'],
    ['email', 'code'],
    ['strasse', 'german'],
    ['Straßen', 'german'],
    ['Datenbank', 'german'],
    ['Sicherung', 'german'],
    ['Sonderzahlung', 'german'],
    ['Mueller', 'german'],
    ['muller', 'german'],
    ['Haus', 'german'],
    ['verzekering', 'dutch'],
    ['behandeling', 'dutch'],
    ['électricité', 'french'],
    ['electricite', 'french'],
    ['assurances', 'french'],
    ['oeuvre', 'french'],
    ['coeur', 'french'],
    ['eau', 'french'],
    ['acqua', 'italian'],
    ['università', 'italian'],
    ['alberi', 'italian'],
    ['citta', 'italian'],
    ['información niños', 'spanish'],
    ['nino', 'spanish'],
    ['armario', 'spanish'],
    ['informação', 'portuguese'],
    ['informacoes', 'portuguese'],
    ['pagamento', 'portuguese'],
    ['DIYARBAKIR', 'turkish'],
    ['diyarbakir', 'turkish'],
    ['kitap', 'turkish'],
    ['istanbul', 'turkish'],
    ['елка', 'russian'],
    ['здание', 'russian'],
    ['документ', 'russian'],
    ["п'ять", 'ukrainian'],
    ['пять', 'ukrainian'],
    ['σχολειο', 'greek'],
    ['احمد', 'arabic'],
    ['محمد', 'arabic'],
    ['القاهره', 'arabic'],
    ['خادم', 'arabic'],
    ['كتاب', 'persian'],
    ['علي', 'persian'],
    ['גיבוי', 'hebrew'],
    ['מחשב', 'hebrew'],
    ['במשרד', 'hebrew'],
    ['लड़की', 'hindi'],
    ['데이터베이스', 'korean'],
    ['백업', 'korean'],
    ['서버', 'korean'],
    ['光', 'chinese'],
    ['霜', 'chinese'],
    ['明月', 'chinese'],
    ['8080', 'chinese'],
    ['E1024', 'chinese'],
    ['Docker部署', 'chinese'],
    ['MacBook', 'japanese'],
    ['会議', 'japanese'],
    ['Kubernetes', 'thai'],
    ['ข้อมูล', 'thai'],
    ['အရန်သိမ်းခြင်း', 'burmese'],
    ['duong', 'vietnamese'],
    ['Nguyen Hue', 'vietnamese'],
    ['transportation', 'hidden'],
    ['full width', 'hidden'],
    ['tehcnicians', 'english'],
    ['Yosemitte', 'english'],
    ['calibr', 'english'],
    ['Yosem', 'english'],
    ['assurrance', 'french'],
  ])('%s: %s', async (query, expected) => {
    const { results } = await searchByWords(index, key, query, { page: { limit: 5, offset: 0 } });
    expect(results[0]?.document).toBe(expected);
  });
});

describe('compounds of a word', () => {
  const db = openDatabase(':memory:', LEXICAL_MIGRATIONS);
  const index = new LexicalIndex(db);
  beforeAll(async () => {
    const texts = Array.from(
      { length: 30 },
      (_, i) => `Das Paket Nummer ${i} steht im Lager neben der Halle und wartet.`,
    );
    const compounds = 'Das Geschenkpaket, das Reisepaket, das Sparpaket und das Kulturpaket sind neu am Montag.';
    for (const [path, text] of Object.entries<string>({
      ...Object.fromEntries(texts.entries()),
      compounds,
      wanted: 'Das Paket kommt wohl am Montag mit der Post in unser altes Haus.',
    })) {
      const document = await analyseDocument({ path, title: '', text, mediaType: 'text/plain' });
      transaction(db, () => index.put(key, document));
    }
  });
  afterAll(() => db.close());
  const first = async (query: string) =>
    (await searchByWords(index, key, query, { page: { limit: 5, offset: 0 } })).results[0]?.document;

  it('are not added to a word that many passages hold: they would only disturb the order', async () => {
    expect(await first('Paket Montag')).toBe('wanted');
  });

  it('are added to a rare word', async () => {
    expect(await first('Kultur')).toBe('compounds');
  });
});
