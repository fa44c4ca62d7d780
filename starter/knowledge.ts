/** Questions with one plain answer, which no table of `world.ts` gives. */

/** `What is …?` */
export const definitions: Readonly<Record<string, string>> = {
  'a harbour': 'A harbour is a safe place for ships.',
  'a lighthouse': 'A lighthouse is a tall tower with a light that shows ships the way.',
  'an island': 'An island is land with water all around it.',
  'the tide': 'The tide is the rise and fall of the sea.',
  'a wave': 'A wave is water that moves up and down.',
  'a storm': 'A storm is very strong wind, often with rain.',
  'a ship': 'A ship is a very big boat.',
  'a captain': 'A captain is the person who leads a ship.',
  'an anchor': 'An anchor is a heavy piece of iron that holds a ship in its place.',
  'a river': 'A river is water that flows to the sea.',
  'a lake': 'A lake is a lot of still water with land around it.',
  'a mountain': 'A mountain is a very high hill.',
  'a forest': 'A forest is a place with many trees.',
  'a market': 'A market is a place where people buy and sell things.',
  'a school': 'A school is a place where children learn.',
  'a farm': 'A farm is a place where food is grown and animals live.',
  'a map': 'A map is a picture that shows where places are.',
  'a compass': 'A compass is a tool that shows where north is.',
  'a friend': 'A friend is someone who likes you and helps you.',
  'a family': 'A family is people who belong together, like parents and children.',
  'a bridge': 'A bridge is a way over water.',
  'a beach': 'A beach is sand or stones beside the sea.',
  'a shell': 'A shell is the hard house of a small sea animal.',
  fog: 'Fog is a cloud that lies on the ground.',
  snow: 'Snow is frozen rain that falls in soft white flakes.',
  ice: 'Ice is frozen water.',
  bread: 'Bread is food made from flour and water.',
  cheese: 'Cheese is food made from milk.',
  honey: 'Honey is a sweet food made by bees.',
  salt: 'Salt is a white thing that makes food taste better.',
  'the moon': 'The moon is a big ball of stone that goes around the earth.',
  'the sun': 'The sun is a star that gives us light and warmth.',
};

export const reasons: readonly (readonly [string, string])[] = [
  ['do we sleep', 'We sleep because our bodies need rest.'],
  ['do we eat', 'We eat because food makes us strong.'],
  ['do we drink water', 'We drink water because our bodies need it.'],
  ['do birds have wings', 'Birds have wings so that they can fly.'],
  ['do fish live in water', 'Fish live in water because they can breathe there.'],
  ['does it get dark at night', 'It gets dark at night because the sun is on the other side of the earth.'],
  ['is the sea salty', 'The sea is salty because rivers bring salt from the stones.'],
  ['do boats float', 'Boats float because they are lighter than the water they push away.'],
  ['do we wear coats', 'We wear coats to keep warm.'],
  ['do we wash our hands', 'We wash our hands to make them clean.'],
  ['do ships need a lighthouse', 'Ships need a lighthouse so that they see the rocks at night.'],
  ['do leaves fall in autumn', 'Leaves fall in autumn because the trees rest in winter.'],
  ['do plants need rain', 'Plants need rain because they drink with their roots.'],
  ['do bees fly to flowers', 'Bees fly to flowers to find honey.'],
  ['do dogs bark', 'Dogs bark to tell us something.'],
  ['do we go to school', 'We go to school to learn.'],
  ['do ships have sails', 'Ships have sails to catch the wind.'],
  ['do we say thank you', 'We say thank you because it is kind.'],
  ['is ice cold', 'Ice is cold because it is frozen water.'],
  ['do people read books', 'People read books to learn and to enjoy a story.'],
];

/** `How do I …?` */
export const recipes: Readonly<Record<string, string>> = {
  'make tea': 'First boil some water. Then put the tea in a cup and pour the water over it. Wait a little, and drink.',
  'make soup': 'First cut the vegetables. Then cook them in water with salt. Stir, taste, and eat it hot.',
  'bake bread': 'First mix flour, water and salt. Then let it rest. Last, bake it in a hot oven.',
  'bake a cake': 'First mix flour, sugar, eggs and butter. Then pour it into a pan. Last, bake it in the oven.',
  'cook an egg': 'First boil some water. Then put the egg into it. Wait five minutes, and take it out.',
  'wash a cup': 'First fill a bowl with warm water. Then wash the cup with soap. Last, dry it with a cloth.',
  'plant a seed': 'First make a small hole in the earth. Then put the seed in it. Last, cover it and give it water.',
  'catch a fish':
    'First put a worm on the hook. Then throw the line into the water. Wait, and pull when the line moves.',
  'clean a room': 'First pick up your things. Then sweep the floor. Last, open the window for fresh air.',
  'tie a boat': 'First pull the boat close. Then put the rope around the post. Last, make a strong knot.',
  'write a letter': 'First write the name of your friend. Then tell the news. Last, write your own name.',
  'light a lamp': 'First fill the lamp with oil. Then light it with a match. Last, close the glass.',
  'make a friend': 'First say hello and smile. Then ask a question and listen. Be kind, and play together.',
  'make a sandwich': 'First cut two pieces of bread. Then put butter and cheese between them. Last, eat it.',
  'sleep well': 'First make the room dark and quiet. Then lie down and breathe slowly. Close your eyes.',
};

/** What someone says, and advice. */
export const advice: readonly (readonly [string, string])[] = [
  ['It is raining', 'You should take an umbrella.'],
  ['It is very cold', 'You should wear a warm coat.'],
  ['It is very hot', 'You should drink a lot of water.'],
  ['It is dark', 'You should light a lamp.'],
  ['It is windy', 'You should hold on to your hat.'],
  ['I am hungry', 'You should eat something.'],
  ['I am thirsty', 'You should drink some water.'],
  ['I am tired', 'You should rest a little.'],
  ['I am sick', 'You should go to a doctor.'],
  ['I am sad', 'I am sorry to hear that. You could talk to a friend.'],
  ['I am lonely', 'I am sorry to hear that. You could visit a friend.'],
  ['I am afraid', 'I am sorry to hear that. You could take a deep breath.'],
  ['I am bored', 'You could read a book or take a walk.'],
  ['I am happy', 'I am glad to hear that.'],
  ['I am lost', 'You should ask someone for the way.'],
  ['I am late', 'You should hurry, and say that you are sorry.'],
  ['My room is dirty', 'You should clean it.'],
  ['My cup is broken', 'You should take another cup.'],
  ['My shoes are wet', 'You should put them near the fire.'],
  ['A storm is coming', 'You should go inside and close the windows.'],
  ['I lost my key', 'You should look in your pockets first.'],
  ['I cannot sleep', 'You could drink warm milk and read a book.'],
  ['I won the game', 'That is great. Well done.'],
  ['Today is my birthday', 'Happy birthday to you.'],
];

/** Small talk: what is said, and the plain answers of a helper. */
export const smallTalk: readonly (readonly [readonly string[], readonly string[]])[] = [
  [['Hello', 'Hi', 'Hello there', 'Good day'], ['Hello. How can I help you?']],
  [['Good morning'], ['Good morning. How can I help you?']],
  [['Good evening'], ['Good evening. How can I help you?']],
  [['How are you?', 'Are you well?'], ['I am well, thank you. How can I help you?']],
  [['Thank you', 'Thanks', 'Thank you very much', 'That was kind'], ['You are welcome.']],
  [['Goodbye', 'Bye', 'I must go now', 'See you tomorrow'], ['Goodbye. Have a good day.']],
  [['Good night'], ['Good night. Sleep well.']],
  [
    ['Who are you?', 'What are you?', 'Tell me who you are', 'Tell me about yourself'],
    ['I am a small helper. I answer questions.'],
  ],
  [['What is your name?', 'Do you have a name?'], ['I have no name. I am a small helper.']],
  [
    ['What can you do?', 'How can you help me?', 'What do you know?'],
    ['I can answer small questions, add numbers and tell stories.'],
  ],
  [['Where do you live?', 'Where are you from?'], ['I live in a computer.']],
  [['Do you sleep?', 'Do you eat?', 'Are you a person?'], ['No. I am a small helper in a computer.']],
  [['Can you help me?', 'I need help'], ['Yes. What do you want to know?']],
  [['Sorry', 'I am sorry'], ['That is all right.']],
  [['Yes', 'Okay', 'I see'], ['Good. Do you have another question?']],
];

export const UNKNOWN = 'I do not know that.';

/** Questions whose answer nobody told: the model learns to say so. Each list is one part of the question. */
export const unknowable: readonly (readonly (readonly string[])[])[] = [
  [
    ['When does', 'At what time does'],
    ['the ferry', 'the ship', 'the shop', 'the market', 'the school', 'the bus', 'the boat', 'the captain'],
    ['leave?', 'open?', 'close?', 'come?', 'come back?', 'start?'],
  ],
  [
    ['How old', 'How deep', 'How long', 'How high', 'How heavy', 'How wide', 'How far'],
    [
      'is the harbour?',
      'is the lighthouse?',
      'is your boat?',
      'is the pier?',
      'is the island?',
      'is the tower?',
      'is the bridge?',
    ],
  ],
  [
    ['What is the name of', 'What do you call', 'What is'],
    [
      'your boat?',
      'the captain?',
      'your cat?',
      'this town?',
      'the island?',
      'the ferry?',
      'your sister?',
      'the best ship?',
    ],
  ],
  [
    ['Who'],
    ['keeps the harbour?', 'built the lighthouse?', 'lives on the island?', 'rings the bell?', 'sells the best fish?'],
  ],
  [['Who'], ['is the captain?', 'owns the red boat?', 'is your sister?', 'was here first?', 'lives in that house?']],
  [
    ['What is', 'What do you see', 'What happened'],
    ['behind the lighthouse?', 'under the pier?', 'on the island?', 'in your house?', 'on the hill?', 'in that box?'],
  ],
  [
    ['How many'],
    ['boats', 'ships', 'people', 'houses', 'steps', 'seals', 'cats'],
    ['are there?', 'are in the harbour?', 'do you have?', 'live here?', 'do you know?'],
  ],
  [
    ['What does it cost to', 'How much is it to', 'May I', 'Where can I', 'Is it safe to'],
    ['tie a boat here?', 'take the ferry?', 'swim here?', 'eat here?', 'sleep here?', 'sail today?', 'fish here?'],
  ],
  [
    ['Where is', 'How is', 'What does', 'When comes'],
    [
      'Anna now?',
      'your sister?',
      'the old captain?',
      'the key of the tower?',
      'the red boat?',
      'your mother?',
      'the bell?',
    ],
  ],
  [
    ['What did you', 'Where did you', 'When did you'],
    ['eat today?', 'do today?', 'see last night?', 'find on the beach?', 'learn that?', 'grow up?', 'do in the storm?'],
  ],
  [
    ['Do you like', 'Do you know', 'Have you seen', 'Do you have'],
    [
      'fish?',
      'the captain?',
      'my boat?',
      'a cat?',
      'a boat?',
      'the great storm?',
      'this song?',
      'a sister?',
      'the sea?',
    ],
  ],
];
