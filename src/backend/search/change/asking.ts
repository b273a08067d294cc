/**
 * The words with which people ask in one language what was changed. All are alternatives of regular expressions, in
 * lower case.
 */
export interface Asking {
  language: string;
  /** A question has one of the first list, followed by one of the second. */
  inOrder: readonly (readonly [first: string, second: string])[];
  /** Or it has one of these alone. */
  alone: string;
  /** "When was the church modified?" may be about a church. With one of these words it is about the documents. */
  surely: string;
  /** Words that do not identify a document. */
  filler: string;
  since: string;
  before: string;
  recently: string;
  /** A part of today. */
  today: string;
  /** The numbers from one to twelve; the forms of one number are separated by `|`. */
  numbers: readonly string[];
}

const ENGLISH: Asking = {
  language: 'en',
  inOrder: [
    [
      'who|what|when|which|where|how often',
      'changed|edited|modified|rewritten|rewrote|revised|updated|added|removed|deleted|committed',
    ],
    ['did', 'change|edit|modify|rewrite|revise|update|add|remove|delete|commit|write|work on'],
    ['who|when', 'wrote|written|created'],
    ['what|which', 'worked on|working on'],
  ],
  alone: String.raw`(?:what|anything|everything)(?:'s| is| was)? new|history|commits?|revisions?|change ?log|(?:latest|recent|last) (?:changes|edits)|(?:my|our) (?:changes|edits)|(?:changes|edits) (?:to|in|of|since|from|last|this)`,
  surely: 'i|we|my|our|who|history|commits?|revisions?|change ?log|changes|edits',
  filler: String.raw`changed?|edit(?:ed|s)?|modif(?:y|ied)|rewritten|rewrote|rewrite|revised?|updated?|add(?:ed)?|removed?|deleted?|commit(?:ted|s)?|wrote|written|write|made|created|work(?:ed|ing)?|history|changes|revisions?|change ?log|new|latest|recent|last|past|this|since|until|before|after|between|ago|often|documents?|files?|anything|everything|anybody|anyone|someone|somebody|me|my|project|show|list|tell|give|time`,
  since: 'since|after',
  before: 'before|until',
  recently: "recently|lately|what(?:'s| is) new",
  today: 'this (?:morning|afternoon|evening)|tonight',
  numbers: 'a|an|one two three four five six seven eight nine ten eleven twelve'.split(' '),
};

const GERMAN: Asking = {
  language: 'de',
  inOrder: [
    [
      'wer|was|wann|welche[rsn]?|wo|wie oft',
      'geändert|verändert|bearbeitet|überarbeitet|aktualisiert|hinzugefügt|ergänzt|gelöscht|entfernt|geschrieben|umgeschrieben|änder(?:te|ten)|bearbeitete[n]?',
    ],
  ],
  alone: 'was ist neu|was gibt es neues|änderungen|versionsgeschichte|änderungsverlauf|verlauf|historie|commits?',
  surely: 'ich|wir|mein(?:e[nmrs]?)?|unser(?:e[nmrs]?)?|wer|änderungen|verlauf|historie|commits?',
  filler:
    'wer|was|wann|welche[rsn]?|wo|wie|oft|ist|sind|war(?:en)?|wurden?|habe[n]?|hat|hast|ich|wir|du|sie|er|es|ihr|man|mir|zeig(?:e)?|liste|gib|nenne|alle|neu(?:es)?|zuletzt|letzte[nmrs]?|diese[nmrs]?|am|im|in|an|von|vom|der|die|das|den|dem|des|ein(?:e[nmrs]?)?|und|zu[mr]?|mein(?:e[nmrs]?)?|unser(?:e[nmrs]?)?|seit|vor|nach|bis|zwischen|datei(?:en)?|dokumente?|notizen|projekt|irgendetwas|etwas|geändert|verändert|bearbeitet|überarbeitet|aktualisiert|hinzugefügt|ergänzt|gelöscht|entfernt|geschrieben|umgeschrieben|änder(?:te|ten)|bearbeitete[n]?|änderungen|versionsgeschichte|änderungsverlauf|verlauf|historie|commits?|gibt',
  since: 'seit|nach',
  before: 'vor dem|bis',
  recently: 'kürzlich|neulich|in letzter zeit|was ist neu|was gibt es neues',
  today: 'heute (?:morgen|früh|vormittag|mittag|nachmittag|abend)',
  numbers: 'eine[nmrs]? zwei drei vier fünf sechs sieben acht neun zehn elf zwölf'.split(' '),
};

const FRENCH: Asking = {
  language: 'fr',
  inOrder: [
    [
      "qui|que|qu'(?:est-ce|ai|a|avons|ont)|quoi|quand|quel(?:le)?s?|où|ai-je|avons-nous",
      'changée?s?|modifiée?s?|éditée?s?|ajoutée?s?|supprimée?s?|effacée?s?|mis(?:es?)? à jour|écrite?s?|réécrite?s?|révisée?s?',
    ],
  ],
  alone: "quoi de neuf|qu'y a-t-il de nouveau|historique|modifications|changements|commits?",
  surely: "je|j'|ai-je|nous|mes|mon|ma|nos|notre|qui|historique|modifications|changements|commits?",
  filler:
    'qui|que|qu|est-ce|quoi|quand|quel(?:le)?s?|où|ai|ai-je|a|as|avons|avons-nous|ont|été|était|je|j|nous|tu|vous|il|elle|on|me|moi|mes|mon|ma|nos|notre|le|la|les|l|un|une|des|du|de|d|dans|au|aux|à|en|et|ce|cet|cette|ces|dernier(?:s|e|es)?|passée?s?|depuis|après|avant|entre|montre[rz]?|liste[rz]?|donne[rz]?|neuf|nouveau|fichiers?|documents?|notes?|projet|tout(?:es)?|tous|changée?s?|modifiée?s?|éditée?s?|ajoutée?s?|supprimée?s?|effacée?s?|mis(?:es?)?|jour|écrite?s?|réécrite?s?|révisée?s?|historique|modifications|changements|commits?|ai',
  since: 'depuis|après',
  before: "avant|jusqu'au?",
  recently: 'récemment|dernièrement|quoi de neuf',
  today: 'ce (?:matin|soir)|cet après-midi',
  numbers: 'une? deux trois quatre cinq six sept huit neuf dix onze douze'.split(' '),
};

const SPANISH: Asking = {
  language: 'es',
  inOrder: [
    [
      'qué|quién(?:es)?|cuándo|cuál(?:es)?|dónde|que|quien|cuando',
      String.raw`cambi(?:é|ó|ado|aron|amos|aste)|modifi(?:qué|có|cado|caron|camos)|edit(?:é|ó|ado|aron|amos)|añad(?:í|ió|ido|ieron)|agreg(?:ué|ó|ado)|elimin(?:é|ó|ado|aron)|borr(?:é|ó|ado|aron)|actualic(?:é)|actualiz(?:ó|ado|aron)|escrib(?:í|ió|ieron)|escrito`,
    ],
  ],
  alone: 'qué hay de nuevo|historial|cambios|modificaciones|commits?',
  surely:
    'yo|mis?|nuestr[oa]s?|quién(?:es)?|historial|cambios|modificaciones|commits?|cambié|cambiamos|modifiqué|edité',
  filler:
    'qué|que|quién(?:es)?|quien|cuándo|cuando|cuál(?:es)?|dónde|yo|mis?|nuestr[oa]s?|me|se|ha(?:n|s|ya)?|he|hemos|fue(?:ron)?|hay|el|la|los|las|un|una|de|del|en|a|al|y|o|por|para|con|este|esta|estos|estas|últim[oa]s?|pasad[oa]s?|desde|después|antes|hasta|entre|muestra|muéstrame|lista|dame|nuevo|archivos?|documentos?|notas?|proyecto|todo[s]?|historial|cambios|modificaciones|commits?',
  since: 'desde|después',
  before: 'antes|hasta',
  recently: 'recientemente|últimamente|qué hay de nuevo',
  today: 'esta (?:mañana|tarde|noche)',
  numbers: 'un[oa]? dos tres cuatro cinco seis siete ocho nueve diez once doce'.split(' '),
};

const ITALIAN: Asking = {
  language: 'it',
  inOrder: [
    [
      "che cosa|cosa|cos'|chi|quando|quali?|dove",
      'cambiat[oaie]|modificat[oaie]|aggiunt[oaie]|eliminat[oaie]|cancellat[oaie]|rimoss[oaie]|aggiornat[oaie]|scritt[oaie]|riscritt[oaie]',
    ],
  ],
  alone: "cosa c'è di nuovo|cronologia|modifiche|cambiamenti|commits?",
  surely: 'io|ho|abbiamo|mi[eoa]i?|nostr[oaie]|chi|cronologia|modifiche|cambiamenti|commits?',
  filler:
    'che|cosa|cos|chi|quando|quali?|dove|io|ho|hai|ha|abbiamo|hanno|è|stat[oaie]|sono|mi[eoa]i?|mi|nostr[oaie]|il|lo|la|i|gli|le|l|un|una|di|del|dello|della|dei|degli|delle|nel|nello|nella|nei|in|a|al|e|quest[oaie]?|scors[oaie]|ultim[oaie]|da|dal|dopo|prima|fino|tra|mostra(?:mi)?|elenca|dammi|nuovo|file|documenti?|note?|progetto|tutt[oaie]|cronologia|modifiche|cambiamenti|commits?',
  since: 'dal|da|dopo',
  before: 'prima|fino',
  recently: "recentemente|ultimamente|di recente|cosa c'è di nuovo",
  today: 'stamattina|stamani|stasera|questo pomeriggio',
  numbers: 'un[oa]? due tre quattro cinque sei sette otto nove dieci undici dodici'.split(' '),
};

const PORTUGUESE: Asking = {
  language: 'pt',
  inOrder: [
    [
      'o que|quem|quando|quais|qual|onde',
      'mud(?:ei|ou|ado|aram|amos)|alter(?:ei|ou|ad[oa]s?|aram)|modifi(?:quei|cou|cad[oa]s?|caram)|edit(?:ei|ou|ad[oa]s?|aram)|adicion(?:ei|ou|ad[oa]s?)|remov(?:i|eu|id[oa]s?)|apag(?:uei|ou|ad[oa]s?)|exclu(?:í|iu|íd[oa]s?)|atualiz(?:ei|ou|ad[oa]s?)|escrev(?:i|eu)|escrit[oa]s?',
    ],
  ],
  alone: 'o que há de novo|histórico|alterações|mudanças|modificações|commits?',
  surely: 'eu|meus?|minhas?|nós|nossos?|quem|histórico|alterações|mudanças|commits?|mudei|alterei|editei',
  filler:
    'o|a|os|as|que|quem|quando|quais|qual|onde|eu|meus?|minhas?|nós|nossos?|foi|foram|há|tem|um|uma|de|do|da|dos|das|no|na|nos|nas|em|e|ao|este|esta|estes|estas|últim[oa]s?|passad[oa]s?|desde|depois|antes|até|entre|mostr(?:a|e)|mostre-me|liste|novo|arquivos?|ficheiros?|documentos?|notas?|projeto|tud[oa]|histórico|alterações|mudanças|modificações|commits?',
  since: 'desde|depois',
  before: 'antes|até',
  recently: 'recentemente|ultimamente|o que há de novo',
  today: 'esta (?:manhã|tarde|noite)|hoje de manhã',
  numbers: 'uma? dois|duas três quatro cinco seis sete oito nove dez onze doze'.split(' '),
};

const DUTCH: Asking = {
  language: 'nl',
  inOrder: [
    [
      'wie|wat|wanneer|welke|waar|hoe vaak',
      'gewijzigd|veranderd|bewerkt|aangepast|toegevoegd|verwijderd|bijgewerkt|geschreven|herschreven|wijzigde|veranderde',
    ],
  ],
  alone: 'wat is er nieuw|geschiedenis|wijzigingen|aanpassingen|commits?',
  surely: 'ik|wij|we|mijn|onze?|wie|geschiedenis|wijzigingen|aanpassingen|commits?',
  filler:
    'wie|wat|wanneer|welke|waar|hoe|vaak|is|er|zijn|werd(?:en)?|heb(?:ben)?|heeft|ik|wij|we|jij|hij|zij|mij|mijn|onze?|de|het|een|in|op|van|aan|en|deze|dit|die|dat|afgelopen|vorige?|laatste?|sinds|na|voor|tot|tussen|toon|laat|zien|geef|lijst|nieuw|bestand(?:en)?|document(?:en)?|notities|project|alles?|iets|gewijzigd|veranderd|bewerkt|aangepast|toegevoegd|verwijderd|bijgewerkt|geschreven|herschreven|wijzigde|veranderde|geschiedenis|wijzigingen|aanpassingen|commits?',
  since: 'sinds|na',
  before: 'voor|tot',
  recently: 'onlangs|recent|laatst|wat is er nieuw',
  today: 'van(?:ochtend|morgen|middag|avond)',
  numbers: 'een|één twee drie vier vijf zes zeven acht negen tien elf twaalf'.split(' '),
};

/** English first: a question that could be in two of these languages is most often English. */
export const ASKING: readonly Asking[] = [ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE, DUTCH];

/** Matches whole words. Letters of every script count as letters, unlike in `\b`. */
export const wholeWords = (alternatives: string) =>
  new RegExp(String.raw`(?<![\p{L}\p{N}])(?:${alternatives})(?![\p{L}\p{N}])`, 'giu');
